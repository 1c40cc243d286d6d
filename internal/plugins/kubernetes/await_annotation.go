package kubernetes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/jsonpath"
)

// judgeAnnotation reads pulumi.com/waitFor: one expression, or a JSON array of expressions that must all hold.
//
//	condition=Ready            condition=Ready=False
//	jsonpath={.status.phase}   jsonpath={.status.phase}=Running
func judgeAnnotation(text string) (judge, error) {
	var expressions []string
	if err := json.Unmarshal([]byte(text), &expressions); err != nil {
		expressions = []string{text}
	}
	if len(expressions) == 0 {
		return nil, fmt.Errorf("annotation %s: at least one condition must be given", annotationWaitFor)
	}
	var judges []judge
	for _, expression := range expressions {
		j, err := judgeExpression(expression)
		if err != nil {
			return nil, fmt.Errorf("annotation %s: %w", annotationWaitFor, err)
		}
		judges = append(judges, j)
	}
	return func(ctx context.Context, c *cluster, obj *unstructured.Unstructured) (verdict, error) {
		for _, j := range judges {
			if v, err := j(ctx, c, obj); err != nil || !v.ready {
				return v, err
			}
		}
		return verdict{ready: true}, nil
	}, nil
}

func judgeExpression(expression string) (judge, error) {
	if rest, ok := strings.CutPrefix(expression, "condition="); ok {
		return judgeCondition(rest)
	}
	if rest, ok := strings.CutPrefix(expression, "jsonpath="); ok {
		return judgePath(rest)
	}
	return nil, fmt.Errorf(`expected a "jsonpath=" or "condition=" prefix, got %q`, expression)
}

func judgeCondition(text string) (judge, error) {
	name, wanted, given := strings.Cut(text, "=")
	if name == "" {
		return nil, fmt.Errorf("condition %q has no type", text)
	}
	if !given {
		wanted = "True"
	}
	return func(_ context.Context, _ *cluster, obj *unstructured.Unstructured) (verdict, error) {
		state, message := conditionNow(obj, name)
		return verdict{
			ready:   strings.EqualFold(state, wanted),
			message: fmt.Sprintf("waiting for condition %s to be %s; it is %q: %s", name, wanted, state, message),
		}, nil
	}, nil
}

// conditionNow returns a condition's status, unless it speaks of an older generation of the object.
func conditionNow(obj *unstructured.Unstructured, name string) (state, message string) {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		fields, _ := c.(map[string]any)
		kind, _ := fields["type"].(string)
		if !strings.EqualFold(kind, name) {
			continue
		}
		if seen, ok := fields["observedGeneration"].(int64); ok && seen < obj.GetGeneration() {
			return "", "not looked at since the last change"
		}
		state, _ = fields["status"].(string)
		message, _ = fields["message"].(string)
		return state, message
	}
	return "", "not reported yet"
}

func judgePath(text string) (judge, error) {
	path, wanted, given := text, "", false
	// An equals sign inside the braces belongs to a filter.
	if end := strings.LastIndex(text, "}"); end >= 0 {
		path = text[:end+1]
		wanted, given = strings.CutPrefix(text[end+1:], "=")
		if !given && text[end+1:] != "" {
			return nil, fmt.Errorf("jsonpath %q: want {path} or {path}=value", text)
		}
	} else {
		path, wanted, given = strings.Cut(text, "=")
		path = "{" + path + "}"
	}
	if given && wanted == "" {
		return nil, fmt.Errorf("jsonpath %q: no value after the equals sign", text)
	}
	if err := jsonpath.New("waitFor").Parse(path); err != nil {
		return nil, fmt.Errorf("jsonpath %q: %w", text, err)
	}
	return func(_ context.Context, _ *cluster, obj *unstructured.Unstructured) (verdict, error) {
		// A parsed path keeps state between evaluations, so each gets its own.
		parser := jsonpath.New("waitFor").AllowMissingKeys(true)
		if err := parser.Parse(path); err != nil {
			return verdict{}, err
		}
		results, err := parser.FindResults(obj.Object)
		if err != nil || len(results) == 0 || len(results[0]) == 0 {
			return verdict{message: fmt.Sprintf("waiting for %s to exist", path)}, nil
		}
		if !given {
			return verdict{ready: true}, nil
		}
		var found bytes.Buffer
		if err := parser.PrintResults(&found, results[0]); err != nil {
			return verdict{}, fmt.Errorf("jsonpath %s: %w", path, err)
		}
		shown := found.String()
		if is(obj, "", "Secret") {
			shown = "[secret]" // messages end up on screens and in logs
		}
		return verdict{
			ready:   strings.EqualFold(strings.TrimSpace(found.String()), wanted),
			message: fmt.Sprintf("waiting for %s to be %s; it is %s", path, wanted, shown),
		}, nil
	}, nil
}
