package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sort"

	appv1 "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/gitops-engine/pkg/health"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// The three kinds of test are those of Argo CD's util/lua/health_test.go and custom_actions_test.go, from the same files.
type healthTests struct {
	Tests []struct {
		InputPath    string              `json:"inputPath"`
		HealthStatus health.HealthStatus `json:"healthStatus"`
	} `json:"tests"`
}

type actionTests struct {
	DiscoveryTests []struct {
		InputPath string                 `json:"inputPath"`
		Result    []appv1.ResourceAction `json:"result"`
	} `json:"discoveryTests"`
	ActionTests []struct {
		Action             string `json:"action"`
		InputPath          string `json:"inputPath"`
		ExpectedOutputPath string `json:"expectedOutputPath"`
	} `json:"actionTests"`
}

type row struct {
	Name string `json:"name"`
	// Empty when it is as the table says.
	Problem string `json:"problem"`
}

func runTables(root string) ([]row, error) {
	rows := []row{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var found []row
		switch entry.Name() {
		case "health_test.yaml":
			found, err = runHealthTests(path)
		case "action_test.yaml":
			found, err = runActionTests(path)
		}
		prefix, _ := filepath.Rel(root, filepath.Dir(path))
		for _, one := range found {
			rows = append(rows, row{Name: prefix + "/" + one.Name, Problem: one.Problem})
		}
		return err
	})
	return rows, err
}

func runHealthTests(path string) ([]row, error) {
	var table healthTests
	if err := readYaml(path, &table); err != nil {
		return nil, err
	}
	folder := filepath.Dir(path)
	script, err := os.ReadFile(filepath.Join(folder, "health.lua"))
	if err != nil {
		return nil, err
	}
	rows := []row{}
	for _, one := range table.Tests {
		object, err := readObject(filepath.Join(folder, one.InputPath))
		if err != nil {
			return nil, err
		}
		found, err := lua.VM{}.ExecuteHealthLua(object, string(script))
		rows = append(rows, compared("health "+one.InputPath, found, &one.HealthStatus, err))
	}
	return rows, nil
}

func runActionTests(path string) ([]row, error) {
	var table actionTests
	if err := readYaml(path, &table); err != nil {
		return nil, err
	}
	folder := filepath.Dir(path)
	discovery, err := os.ReadFile(filepath.Join(folder, "discovery.lua"))
	if err != nil {
		return nil, err
	}
	rows := []row{}
	for _, one := range table.DiscoveryTests {
		object, err := readObject(filepath.Join(folder, one.InputPath))
		if err != nil {
			return nil, err
		}
		found, err := lua.VM{}.ExecuteResourceActionDiscovery(object, []string{string(discovery)})
		sortActions(found)
		sortActions(one.Result)
		rows = append(rows, compared("discovery "+one.InputPath, found, one.Result, err))
	}
	for _, one := range table.ActionTests {
		found, err := actedOn(folder, one.Action, one.InputPath)
		if err != nil {
			return nil, err
		}
		wanted, err := readObject(filepath.Join(folder, one.ExpectedOutputPath))
		if err != nil {
			return nil, err
		}
		rows = append(rows, compared("action "+one.Action+" "+one.InputPath, found, wanted, nil))
	}
	return rows, nil
}

func actedOn(folder, action, inputPath string) (*unstructured.Unstructured, error) {
	script, err := os.ReadFile(filepath.Join(folder, action, "action.lua"))
	if err != nil {
		return nil, err
	}
	object, err := readObject(filepath.Join(folder, inputPath))
	if err != nil {
		return nil, err
	}
	impacted, err := lua.VM{}.ExecuteResourceAction(object, string(script), nil)
	if err != nil {
		return nil, err
	}
	if len(impacted) != 1 || impacted[0].K8SOperation != lua.PatchOperation {
		return nil, fmt.Errorf("action %s is not one patch of the object", action)
	}
	return impacted[0].UnstructuredObj, nil
}

// compared goes by the JSON of both: Lua knows only one kind of number.
func compared(name string, found, wanted any, err error) row {
	if err != nil {
		return row{Name: name, Problem: err.Error()}
	}
	have, want := generic(found), generic(wanted)
	if reflect.DeepEqual(have, want) {
		return row{Name: name}
	}
	haveText, _ := json.Marshal(have)
	wantText, _ := json.Marshal(want)
	return row{Name: name, Problem: fmt.Sprintf("is     %s\nshould be %s", haveText, wantText)}
}

func generic(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return err.Error()
	}
	return plain
}

func sortActions(actions []appv1.ResourceAction) {
	sort.Slice(actions, func(i, j int) bool { return actions[i].Name < actions[j].Name })
}

func readObject(path string) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	return object, readYaml(path, &object.Object)
}

func readYaml(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return yaml.Unmarshal(text, into)
}
