package manifest

// stripDescriptions removes the prose from the schemas of a custom resource definition. It is most of a large
// definition; it would be stored twice in the state, once as input and once as output, and the state is written anew
// for every resource. What it costs: `kubectl explain` shows the fields of such a resource without their descriptions.
func stripDescriptions(o *Object) {
	spec, _ := o.Object["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	for _, v := range versions {
		version, _ := v.(map[string]any)
		schema, _ := version["schema"].(map[string]any)
		stripSchema(schema["openAPIV3Schema"])
	}
}

// stripSchema follows the structure of a schema: under properties, "description" may be the name of a field.
func stripSchema(node any) {
	schema, ok := node.(map[string]any)
	if !ok {
		return
	}
	delete(schema, "description")
	for _, key := range []string{"items", "additionalProperties", "not"} {
		stripSchema(schema[key])
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := schema[key].([]any)
		for _, item := range list {
			stripSchema(item)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, property := range properties {
		stripSchema(property)
	}
}
