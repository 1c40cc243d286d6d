package config

import (
	"fmt"
	"strconv"
	"strings"
)

// managedMarks are what databases that AWS runs cannot change without being
// replaced, and the version of the cache.
func (c *Config) managedMarks() []mark {
	const backend = postgresqlPath + ".backend"
	marks := []mark{{backend, backend, string(c.Storage.PostgreSQL.Backend), func(present, next string) (string, error) {
		return stays(present, next, "databases do not move from one to the other; move the data to a new stack")
	}}}
	if r := c.Storage.PostgreSQL.RDS; r != nil {
		marks = append(marks,
			mark{rdsPath + ".storage", rdsPath + ".storage", r.Storage.String(), growth},
			mark{rdsPath + ".engineVersion", rdsPath + ".engineVersion", r.EngineVersion, notOlder},
			mark{rdsPath + ".kmsKeyArn", rdsPath + ".kmsKeyArn", r.KMSKeyARN, func(present, next string) (string, error) {
				return stays(present, next, "AWS would replace the databases; move the data to a new stack")
			}})
	}
	if e := c.Storage.Cache.ElastiCache; e != nil {
		marks = append(marks, mark{elastiCachePath + ".engineVersion", elastiCachePath + ".engineVersion", e.EngineVersion, notOlder})
	}
	return marks
}

// notOlder compares versions, of which the part behind the point counts only
// where both have one.
func notOlder(present, next string) (string, error) {
	was, err := numbers(present)
	if err != nil {
		return "", err
	}
	is, err := numbers(next)
	if err != nil {
		return "", err
	}
	for i := range min(len(was), len(is)) {
		if is[i] < was[i] {
			return fmt.Sprintf("must be at least %q, which it is now: AWS never goes back to an older version", present), nil
		}
		if is[i] > was[i] {
			break
		}
	}
	return "", nil
}

func numbers(version string) ([]int, error) {
	var parts []int
	for _, part := range strings.Split(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
	}
	return parts, nil
}
