package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"

	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/argo-cd/v3/util/settings"
	jsonpatch "github.com/evanphx/json-patch"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"
)

type argoHealth struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type argoAction struct {
	Name     string `json:"name"`
	Disabled bool   `json:"disabled"`
}

type actionQuestion struct {
	ArgocdCm map[string]string         `json:"argocdCm"`
	Object   unstructured.Unstructured `json:"object"`
	Action   string                    `json:"action"`
}

type actionAnswer struct {
	Patch json.RawMessage `json:"patch"`
}

// vmOf reads the ConfigMap as Argo CD does. Without one only the built-in scripts are there.
func vmOf(argocdCm map[string]string) (lua.VM, error) {
	if argocdCm == nil {
		return lua.VM{}, nil
	}
	const namespace = "argocd"
	labels := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	client := fake.NewClientset(
		&corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: "argocd-cm", Namespace: namespace, Labels: labels},
			Data:       argocdCm,
		},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "argocd-secret", Namespace: namespace, Labels: labels},
			Data:       map[string][]byte{"admin.password": {}, "server.secretkey": {}},
		},
	)
	overrides, err := settings.NewSettingsManager(context.Background(), client, namespace).GetResourceOverrides()
	if err != nil {
		return lua.VM{}, err
	}
	return lua.VM{ResourceOverrides: overrides}, nil
}

func healthOf(vm lua.VM, object *unstructured.Unstructured) (argoHealth, error) {
	status, err := lua.ResourceHealthOverrides(vm.ResourceOverrides).GetResourceHealth(object)
	if err != nil || status == nil {
		return argoHealth{}, err
	}
	return argoHealth{Status: string(status.Status), Message: status.Message}, nil
}

func actionsOf(vm lua.VM, object *unstructured.Unstructured) ([]argoAction, error) {
	scripts, err := vm.GetResourceActionDiscovery(object)
	if err != nil || len(scripts) == 0 {
		return nil, err
	}
	found, err := vm.ExecuteResourceActionDiscovery(object, scripts)
	if err != nil {
		return nil, err
	}
	actions := make([]argoAction, 0, len(found))
	for _, one := range found {
		actions = append(actions, argoAction{Name: one.Name, Disabled: one.Disabled})
	}
	sort.Slice(actions, func(i, j int) bool { return actions[i].Name < actions[j].Name })
	return actions, nil
}

// runAction does what argocd-server does with an action on a live object (server/application, RunResourceActionV2), up to the
// request itself: the difference between the object and what the script returns, as a merge patch.
func runAction(question actionQuestion) (actionAnswer, error) {
	vm, err := vmOf(question.ArgocdCm)
	if err != nil {
		return actionAnswer{}, err
	}
	before, err := question.Object.MarshalJSON()
	if err != nil {
		return actionAnswer{}, err
	}
	definition, err := vm.GetResourceAction(&question.Object, question.Action)
	if err != nil {
		return actionAnswer{}, err
	}
	impacted, err := vm.ExecuteResourceAction(&question.Object, definition.ActionLua, nil)
	if err != nil {
		return actionAnswer{}, err
	}
	if len(impacted) != 1 || impacted[0].K8SOperation != lua.PatchOperation {
		return actionAnswer{}, fmt.Errorf("action %s is not one patch of the object", question.Action)
	}
	after, err := impacted[0].UnstructuredObj.MarshalJSON()
	if err != nil {
		return actionAnswer{}, err
	}
	patch, err := jsonpatch.CreateMergePatch(before, after)
	return actionAnswer{Patch: patch}, err
}
