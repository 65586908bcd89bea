package main

import (
	"context"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

type applyQuestion struct {
	Kubeconfig string                       `json:"kubeconfig"`
	Objects    []*unstructured.Unstructured `json:"objects"`
}

type applyAnswer struct {
	// What became of each object: created, configured, unchanged or skipped.
	Actions map[string]string `json:"actions"`
}

// applyAsFlux does what Flux's kustomize-controller does with the objects of a Kustomization, by the module it does it with.
func applyAsFlux(question applyQuestion) (applyAnswer, error) {
	config, err := clientcmd.BuildConfigFromFlags("", question.Kubeconfig)
	if err != nil {
		return applyAnswer{}, err
	}
	manager, err := managerFor(config)
	if err != nil {
		return applyAnswer{}, err
	}
	options := ssa.DefaultApplyOptions()
	options.IfNotPresentSelector = map[string]string{"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}
	changes, err := manager.ApplyAllStaged(context.Background(), question.Objects, options)
	if err != nil {
		return applyAnswer{}, err
	}
	answer := applyAnswer{Actions: map[string]string{}}
	for _, entry := range changes.Entries {
		answer.Actions[entry.Subject] = entry.Action.String()
	}
	return answer, nil
}

func managerFor(config *rest.Config) (*ssa.ResourceManager, error) {
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, httpClient)
	if err != nil {
		return nil, err
	}
	kube, err := client.New(config, client.Options{Mapper: mapper, HTTPClient: httpClient})
	if err != nil {
		return nil, err
	}
	poller := polling.NewStatusPoller(kube, mapper, polling.Options{})
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	return ssa.NewResourceManager(kube, poller, owner), nil
}
