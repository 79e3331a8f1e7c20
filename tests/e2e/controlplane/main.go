// Command controlplane is every command of a Kubernetes control plane, and kubectl, in one binary that acts
// by the name it is called by. One binary, because linking is the costly part of a build from a warm cache,
// and the commands share nearly all of their code. Each is started as its own main.go upstream starts it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// parentVariable holds the process id of whoever started a server and must outlive it.
const parentVariable = "CONTROLPLANE_PARENT"

func main() {
	if parent, err := strconv.Atoi(os.Getenv(parentVariable)); err == nil {
		go exitWithout(parent)
	}
	switch name := filepath.Base(os.Args[0]); name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllers.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case "kubectl":
		_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			util.CheckErr(err)
		}
	default:
		fmt.Fprintf(os.Stderr, "%s is not a command of a control plane\n", name)
		os.Exit(2)
	}
}

// exitWithout ends this process soon after its parent is gone, however that died. The kernel's own way
// (PR_SET_PDEATHSIG) follows the thread that started the process, which may end long before its process.
func exitWithout(parent int) {
	for os.Getppid() == parent {
		time.Sleep(500 * time.Millisecond)
	}
	os.Exit(1)
}
