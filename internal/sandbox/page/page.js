// The page works without this file. With it, the page updates itself, dialogs are modal, and
// a button copies a new token.
"use strict";

document.documentElement.classList.add("scripted");
const byId = (id) => document.getElementById(id);
const every = { changed: 1000, offline: 3000 }; // milliseconds between polls
const patience = 10_000; // milliseconds until a request counts as failed

// morph updates the node "from" to match "to" and touches only the differences, so that
// focus, an open menu and a selection are preserved.
function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeName !== to.nodeName || (from.id ?? "") !== (to.id ?? "")) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  const mine = (name) => name === "open" && from.nodeName === "DETAILS";
  for (const { name } of [...from.attributes]) if (!mine(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  morphChildren(from, to);
}

function morphChildren(from, to) {
  const wanted = new Set([...to.children].map((child) => child.id).filter(Boolean));
  const kept = new Map();
  for (const child of [...from.children]) {
    if (!child.id) continue;
    if (wanted.has(child.id)) kept.set(child.id, child);
    else child.remove();
  }
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const same = kept.get(next.id);
    if (same) {
      while (at && at !== same && !at.id) at = drop(at);
      if (at !== same) from.insertBefore(same, at);
      at = same.nextSibling;
      morph(same, next);
    } else if (at && !at.id && !next.id) {
      const old = at;
      at = at.nextSibling;
      morph(old, next);
    } else {
      from.insertBefore(next, at);
    }
  }
  while (at) at = drop(at);
}

function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

// refresh updates the live part. It discards the response if the query has changed meanwhile.
let tag = "";
let query = byId("live").dataset.query;
async function refresh() {
  const asked = query;
  const answer = await fetch(`/_page/live?${asked}`, {
    cache: "no-store",
    headers: tag ? { "If-None-Match": tag } : {},
    signal: AbortSignal.timeout(patience),
  });
  if (answer.status === 304) return;
  if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
  const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
  if (asked !== query || !next) return;
  tag = answer.headers.get("ETag") ?? "";
  morph(byId("live"), next);
  query = byId("live").dataset.query;
  for (const field of document.querySelectorAll("dialog [name=view]")) field.value = query;
}

// follow refreshes now and then periodically while the page is visible.
let timer = 0;
async function follow() {
  clearTimeout(timer);
  let wait = every.changed;
  try {
    await refresh();
    byId("offline").hidden = true;
  } catch {
    byId("offline").hidden = false;
    wait = every.offline;
  }
  clearTimeout(timer);
  timer = setTimeout(followSeen, wait);
}
function followSeen() {
  if (!document.hidden) follow(); // visibilitychange starts it again
}
document.addEventListener("visibilitychange", followSeen);

// Searching, sorting, paging and folding are links. They are followed without reloading the
// page.
async function show(address, record) {
  const url = new URL(address, location.href);
  history[record](null, "", url);
  query = url.search.slice(1);
  await follow();
}
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-list]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const turns = "turn" in link.dataset;
  if (link.id === "clear") byId("q").value = "";
  await show(link.href, "pushState");
  if (turns) byId("tokens").scrollIntoView();
  if (!link.isConnected || turns) (link.id === "clear" ? byId("q") : byId("tokens")).focus();
});
addEventListener("popstate", () => {
  query = location.search.slice(1);
  byId("q").value = new URLSearchParams(query).get("q") ?? "";
  follow();
});

let typed = 0;
function search() {
  clearTimeout(typed);
  const asked = new URLSearchParams(new FormData(byId("search")));
  if (!asked.get("q").trim()) asked.delete("q");
  show(`/${asked.size ? `?${asked}` : ""}`, "replaceState");
}
document.addEventListener("input", (event) => {
  if (event.target.id !== "q") return;
  clearTimeout(typed);
  typed = setTimeout(search, 120);
});

// Dialogs that the server rendered open become modal.
let opener = null;
function open(dialog, from) {
  opener = from;
  from.closest("details")?.removeAttribute("open"); // close the menu under the dialog
  dialog.removeAttribute("open");
  dialog.showModal();
}
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("close", () => {
    dialog.querySelector("form").reset();
    const back = opener?.closest("details")?.querySelector("summary") ?? opener;
    (back?.isConnected ? back : byId("new")).focus();
  });
  if (dialog.open) open(dialog, byId("new"));
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.id === "new") {
    event.preventDefault();
    open(byId("generate"), button);
  } else if (button?.name === "revoke") {
    event.preventDefault();
    byId("revoke-name").textContent = button.dataset.name;
    byId("revoke").querySelector("[name=id]").value = button.value;
    open(byId("revoke"), button);
  }
});

// Menus close on Escape and when another element is used.
const menus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog:modal")) return;
  for (const menu of menus()) {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  }
});
for (const kind of ["pointerdown", "focusin"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.closest("dialog")) return;
    for (const menu of menus()) if (!menu.contains(event.target)) menu.removeAttribute("open");
  });
}

// The clock and the search update without reloading the page.
document.addEventListener("submit", (event) => {
  if (event.target.id === "search") {
    event.preventDefault();
    search();
  }
  if (!event.target.matches("[data-stay]")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, event.submitter));
  fetch(event.target.action, { method: "POST", body, redirect: "manual" }).then(follow, follow);
});

// A new token can be copied. It disappears when the user leaves the page.
const secret = byId("secret");
if (secret) {
  byId("copy").hidden = false;
  byId("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(secret.value);
      byId("copied").textContent = "Copied.";
    } catch {
      secret.select();
      byId("copied").textContent = "The browser does not let the page copy. The token is selected: copy it with the keyboard.";
    }
  });
  addEventListener("pagehide", () => byId("made").remove());
}

// Reloading shows the list and does not resubmit a form. Text typed before this file was
// loaded is searched for.
history.replaceState(null, "", byId("live").dataset.address);
if (byId("q").value !== byId("q").defaultValue) search();
else followSeen();
