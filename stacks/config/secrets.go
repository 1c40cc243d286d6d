package config

import "strconv"

// openSecrets replaces the encrypted values of a stack file, which are written
// as a map with the single key "secure", and reports secrets in plain text and
// encrypted values that are no secrets.
func (s *stackSchema) openSecrets(values map[string]any) []fault {
	var faults []fault
	var walk func(path []string, value any) any
	walk = func(path []string, value any) any {
		schema := s.at(path)
		switch v := value.(type) {
		case map[string]any:
			if isEncrypted(v) {
				if schema != nil && !schema.IsSecret() {
					faults = append(faults, fault{path: path, Problem: Problem{Message: "is encrypted, but is not a secret; must be in plain text, so that it can be checked and reviewed"}})
					return nil
				}
				return encrypted
			}
			for key, item := range v {
				v[key] = walk(child(path, key), item)
			}
		case []any:
			for i, item := range v {
				v[i] = walk(child(path, strconv.Itoa(i)), item)
			}
		case string:
			if schema != nil && schema.IsSecret() {
				faults = append(faults, fault{path: path, Problem: Problem{
					Message: "is a secret in plain text; must be encrypted: pulumi config set --secret --path '" + display(path) + "'",
				}})
			}
		}
		return value
	}
	for name := range s.components() {
		if value, ok := values[name]; ok {
			values[name] = walk([]string{"config", name}, value)
		}
	}
	dropNulls(values)
	return faults
}

func isEncrypted(value map[string]any) bool {
	_, ok := value["secure"].(string)
	return ok && len(value) == 1
}
