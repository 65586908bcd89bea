// Command judge lets Argo CD's and Flux's own code look at objects that a test hands it: health and resource actions by
// Argo CD's Lua runner, kstatus and health check expressions by Flux's modules. It reads JSON and prints JSON.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const usage = `Usage:
  judge objects           reads {argocdCm, healthCheckExprs, objects}; prints what each object is to Argo CD and Flux
  judge action            reads {argocdCm, object, action}; prints the merge patch that argocd-server would send
  judge apply             reads {kubeconfig, objects}; applies them as Flux does, and prints what became of each
  judge tables FOLDER     runs the table tests of a folder laid out as Argo CD's resource_customizations`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "objects":
		return answer(judgeObjects)
	case len(args) == 1 && args[0] == "action":
		return answer(runAction)
	case len(args) == 1 && args[0] == "apply":
		return answer(applyAsFlux)
	case len(args) == 2 && args[0] == "tables":
		rows, err := runTables(args[1])
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(rows)
	default:
		return fmt.Errorf("wrong arguments %q\n%s", args, usage)
	}
}

func answer[Question, Answer any](work func(Question) (Answer, error)) error {
	var question Question
	if err := json.NewDecoder(os.Stdin).Decode(&question); err != nil {
		return err
	}
	result, err := work(question)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

type objectsQuestion struct {
	// The data of the ConfigMap argocd-cm.
	ArgocdCm map[string]string `json:"argocdCm"`
	// Entries of `spec.healthCheckExprs` of a Flux Kustomization.
	HealthCheckExprs []json.RawMessage           `json:"healthCheckExprs"`
	Objects          []unstructured.Unstructured `json:"objects"`
}

type opinion struct {
	Argo    argoHealth   `json:"argo"`
	Actions []argoAction `json:"actions"`
	KStatus fluxOpinion  `json:"kstatus"`
	Flux    *fluxOpinion `json:"flux,omitempty"`
}

func judgeObjects(question objectsQuestion) ([]opinion, error) {
	vm, err := vmOf(question.ArgocdCm)
	if err != nil {
		return nil, err
	}
	checks, err := checksOf(question.HealthCheckExprs)
	if err != nil {
		return nil, err
	}
	opinions := make([]opinion, 0, len(question.Objects))
	for i := range question.Objects {
		object := &question.Objects[i]
		one := opinion{}
		if one.Argo, err = healthOf(vm, object); err != nil {
			return nil, fmt.Errorf("health of %s: %w", object.GetName(), err)
		}
		if one.Actions, err = actionsOf(vm, object); err != nil {
			return nil, fmt.Errorf("actions of %s: %w", object.GetName(), err)
		}
		if one.KStatus, err = kstatusOf(object); err != nil {
			return nil, fmt.Errorf("kstatus of %s: %w", object.GetName(), err)
		}
		if one.Flux, err = checks.look(object); err != nil {
			return nil, fmt.Errorf("health check expressions of %s: %w", object.GetName(), err)
		}
		opinions = append(opinions, one)
	}
	return opinions, nil
}
