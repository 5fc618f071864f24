package main

import (
	"sync"
	"time"
)

// rates are AWS's quotas per region, in requests per second. Operations with a common quota
// use the same key.
var rates = map[string]int{
	"BatchGetSecretValue": 100, "CreateSecret": 50, "DeleteSecret": 50, "DescribeSecret": 40000, "GetSecretValue": 10000,
	"ListSecretVersionIds": 50, "ListSecrets": 100, "PutSecretValue": 50, "RestoreSecret": 50, "TagResource": 50,
}

// quotaOf returns the key of an operation's quota, or "" if it has none.
func quotaOf(operation string) string {
	switch operation {
	case "UpdateSecret", "UpdateSecretVersionStage":
		return "PutSecretValue"
	case "UntagResource":
		return "TagResource"
	}
	if rates[operation] > 0 {
		return operation
	}
	return ""
}

// quotas counts the requests in the current second, by region and quota.
type quotas struct {
	mu     sync.Mutex
	second int64
	used   map[[2]string]int
}

// take counts a request and reports whether it is within the quota. Seconds are those of the
// server's clock.
func (q *quotas) take(region, operation string, now time.Time) bool {
	key := quotaOf(operation)
	if key == "" {
		return true
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if second := now.Unix(); second != q.second || q.used == nil {
		q.second, q.used = second, map[[2]string]int{}
	}
	q.used[[2]string{region, key}]++
	return q.used[[2]string{region, key}] <= rates[key]
}
