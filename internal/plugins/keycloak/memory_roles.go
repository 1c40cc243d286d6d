package keycloak

import (
	"maps"
	"slices"
	"strings"
)

func scopeAnswers(answers func(string, func(asked) answer)) {
	const one = "/admin/realms/{realm}/client-scopes/{scope}"
	found := func(give func(a asked, scope values) answer) func(asked) answer {
		return func(a asked) answer {
			if scope := a.realm.Scopes[a.PathValue("scope")]; scope != nil {
				return give(a, scope)
			}
			return missing("Could not find client scope")
		}
	}
	answers("GET /admin/realms/{realm}/client-scopes", func(a asked) answer {
		return said(slices.Collect(maps.Values(a.realm.Scopes)))
	})
	answers("POST /admin/realms/{realm}/client-scopes", func(a asked) answer {
		for _, each := range a.realm.Scopes {
			if each["name"] == a.body["name"] {
				return taken("Client Scope " + textOf(a.body, "name", "") + " already exists")
			}
		}
		return made(put(a.realm.Scopes, a.body))
	})
	answers("GET "+one, found(func(_ asked, scope values) answer { return said(scope) }))
	answers("PUT "+one, found(func(a asked, scope values) answer {
		a.body["attributes"] = merged(object(scope["attributes"]), object(a.body["attributes"]))
		maps.Copy(scope, a.body)
		return done()
	}))
	answers("DELETE "+one, found(func(a asked, _ values) answer {
		for client := range a.realm.Attached {
			a.realm.detach(client, a.PathValue("scope"))
		}
		delete(a.realm.Scopes, a.PathValue("scope"))
		return done()
	}))
}

func roleAnswers(answers func(string, func(asked) answer)) {
	for _, of := range []string{"/admin/realms/{realm}", "/admin/realms/{realm}/clients/{client}"} {
		answers("POST "+of+"/roles", createRole)
		answers("GET "+of+"/roles/{name}", func(a asked) answer {
			if _, role := a.role(a.PathValue("name")); role != nil {
				return said(role)
			}
			return missing("Could not find role")
		})
	}
	const one = "/admin/realms/{realm}/roles-by-id/{role}"
	found := func(give func(a asked, id string, role values) answer) func(asked) answer {
		return func(a asked) answer {
			if role := a.realm.Roles[a.PathValue("role")]; role != nil {
				return give(a, a.PathValue("role"), role)
			}
			return missing("Could not find role with id")
		}
	}
	answers("GET "+one, found(func(_ asked, _ string, role values) answer { return said(role) }))
	answers("PUT "+one, found(func(a asked, _ string, role values) answer {
		role["name"], role["description"] = a.body["name"], a.body["description"]
		return done()
	}))
	answers("DELETE "+one, found(func(a asked, id string, _ values) answer {
		for place, granted := range a.realm.Granted {
			a.realm.Granted[place] = without(granted, id)
		}
		delete(a.realm.Roles, id)
		return done()
	}))
	grantAnswers(answers)
	mapperAnswers(answers)
}

// role finds a role by its name, of the realm or of the client that is asked for.
func (a asked) role(name string) (string, values) {
	owner := any(a.PathValue("client"))
	if owner == "" {
		owner = a.realm.Realm["id"]
	}
	for id, each := range a.realm.Roles {
		if each["name"] == name && each["containerId"] == owner {
			return id, each
		}
	}
	return "", nil
}

func createRole(a asked) answer {
	name, client := textOf(a.body, "name", ""), a.PathValue("client")
	if _, there := a.role(name); there != nil {
		return taken("Role with name " + name + " already exists")
	}
	role := merged(values{"composite": false}, a.body, values{"clientRole": client != "", "containerId": client})
	if client == "" {
		role["containerId"] = a.realm.Realm["id"]
	} else if a.realm.Clients[client] == nil {
		return missing("Could not find client")
	}
	put(a.realm.Roles, role)
	return made(name)
}

// grantAnswers are the roles of users, clients and client scopes.
func grantAnswers(answers func(string, func(asked) answer)) {
	for place, there := range map[string]func(asked) bool{
		"users/{owner}/role-mappings": func(a asked) bool {
			return slices.Contains(slices.Collect(maps.Values(a.realm.Accounts)), a.PathValue("owner"))
		},
		"clients/{owner}/scope-mappings":       func(a asked) bool { return a.realm.Clients[a.PathValue("owner")] != nil },
		"client-scopes/{owner}/scope-mappings": func(a asked) bool { return a.realm.Scopes[a.PathValue("owner")] != nil },
	} {
		kept := func(a asked) string { return strings.Replace(place, "{owner}", a.PathValue("owner"), 1) }
		for _, sort := range []string{"realm", "clients/{client}"} {
			pattern := " /admin/realms/{realm}/" + place + "/" + sort
			answers("GET"+pattern, func(a asked) answer {
				if !there(a) {
					return missing("Not found")
				}
				all := []values{}
				for _, id := range a.realm.Granted[kept(a)] {
					all = append(all, a.realm.Roles[id])
				}
				return said(all)
			})
			answers("POST"+pattern, func(a asked) answer {
				id := textOf(a.body, "id", "")
				if !there(a) || a.realm.Roles[id] == nil {
					return missing("Role not found")
				}
				a.realm.Granted[kept(a)] = append(without(a.realm.Granted[kept(a)], id), id)
				return done()
			})
			answers("DELETE"+pattern, func(a asked) answer {
				if !there(a) {
					return missing("Not found")
				}
				a.realm.Granted[kept(a)] = without(a.realm.Granted[kept(a)], textOf(a.body, "id", ""))
				return done()
			})
		}
	}
}

// mapperAnswers are the mappers of clients and client scopes, which are a part of those.
func mapperAnswers(answers func(string, func(asked) answer)) {
	for sort, owners := range map[string]func(asked) map[string]values{
		"clients":       func(a asked) map[string]values { return a.realm.Clients },
		"client-scopes": func(a asked) map[string]values { return a.realm.Scopes },
	} {
		of := " /admin/realms/{realm}/" + sort + "/{owner}/protocol-mappers/models"
		all := func(a asked) (owner values, mappers []any) {
			owner = owners(a)[a.PathValue("owner")]
			mappers, _ = owner["protocolMappers"].([]any)
			return owner, mappers
		}
		answers("POST"+of, func(a asked) answer {
			owner, mappers := all(a)
			if owner == nil {
				return missing("Could not find " + sort)
			}
			if slices.ContainsFunc(mappers, func(m any) bool { return object(m)["name"] == a.body["name"] }) {
				return taken("Protocol mapper exists with same name")
			}
			id := put(map[string]values{}, a.body)
			owner["protocolMappers"] = append(mappers, a.body)
			return made(id)
		})
		answers("GET"+of, func(a asked) answer {
			owner, mappers := all(a)
			if owner == nil {
				return missing("Could not find " + sort)
			}
			return said(slices.Concat([]any{}, mappers))
		})
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			answers(method+of+"/{mapper}", func(a asked) answer {
				owner, mappers := all(a)
				i := slices.IndexFunc(mappers, func(m any) bool { return object(m)["id"] == a.PathValue("mapper") })
				switch {
				case i < 0:
					return missing("Model not found")
				case method == "GET":
					return said(mappers[i])
				case method == "PUT":
					mappers[i] = a.body
				default:
					owner["protocolMappers"] = slices.Delete(mappers, i, i+1)
				}
				return done()
			})
		}
	}
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(all, func(each string) bool { return each == one })
}
