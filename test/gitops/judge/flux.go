package main

import (
	"context"
	"encoding/json"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

type fluxOpinion struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type checks map[schema.GroupKind]*cel.StatusEvaluator

func checksOf(entries []json.RawMessage) (checks, error) {
	found := checks{}
	for _, entry := range entries {
		var check kustomize.CustomHealthCheck
		if err := json.Unmarshal(entry, &check); err != nil {
			return nil, err
		}
		evaluator, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
		if err != nil {
			return nil, err
		}
		found[schema.FromAPIVersionAndKind(check.APIVersion, check.Kind).GroupKind()] = evaluator
	}
	return found, nil
}

// look gives what Flux goes by where there are expressions for the kind; undefined where it goes by kstatus.
func (c checks) look(object *unstructured.Unstructured) (*fluxOpinion, error) {
	evaluator, ok := c[object.GroupVersionKind().GroupKind()]
	if !ok {
		return nil, nil
	}
	result, err := evaluator.Evaluate(context.Background(), object)
	if err != nil {
		return nil, err
	}
	return &fluxOpinion{Status: string(result.Status), Message: result.Message}, nil
}

func kstatusOf(object *unstructured.Unstructured) (fluxOpinion, error) {
	result, err := status.Compute(object)
	if err != nil {
		return fluxOpinion{}, err
	}
	return fluxOpinion{Status: string(result.Status), Message: result.Message}, nil
}
