# AWS Lambda with the AWS Parameters and Secrets Lambda Extension, which caches the secret
# for SECRETS_MANAGER_TTL seconds, 300 by default. Read it in each invocation: in a warm
# environment, a global variable can keep a token beyond its overlap.
import json
import os
import urllib.parse
import urllib.request

PORT = os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773")


def token(name="ci/paistrike"):
    request = urllib.request.Request(
        f"http://localhost:{PORT}/secretsmanager/get?secretId={urllib.parse.quote(name, safe='')}",
        headers={"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(json.load(answer)["SecretString"])["token"]
