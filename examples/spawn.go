// Spawn the mock gateway from a Go test, with the standard library alone.
//
//	go run examples/spawn.go
//
// OAGW_PYTHON names the interpreter (default: python3), OAGW_SERVER the script (default: server.py).
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"
)

type MockGateway struct {
	URL string `json:"url"`
	cmd *exec.Cmd
}

func StartMockGateway() (*MockGateway, error) {
	cmd := exec.Command(env("OAGW_PYTHON", "python3"), env("OAGW_SERVER", "server.py"), "0", "--exit-with-parent")
	cmd.Stderr = os.Stderr
	// The server stops when its standard input ends, so it cannot outlive us, even if we are killed.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	gateway := &MockGateway{cmd: cmd}
	// It writes one line of JSON, as soon as the socket accepts.
	if err := json.NewDecoder(stdout).Decode(gateway); err != nil {
		gateway.Stop()
		return nil, fmt.Errorf("the gateway did not start; standard error says why: %w", err)
	}
	return gateway, nil
}

func (gateway *MockGateway) Stop() {
	gateway.cmd.Process.Kill()
	gateway.cmd.Wait()
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// In a test: t.Fatal. It must not end the process at once, as log.Fatal does: deferred calls have to run.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	gateway, err := StartMockGateway()
	check(err)
	defer gateway.Stop() // in a test: t.Cleanup(gateway.Stop)

	request, err := http.NewRequest("GET", gateway.URL+"/api/oagw/v1/proxy/weather/current?city=Oslo", nil)
	check(err)
	request.Header.Set("Authorization", "Bearer test-integration-token")
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Do(request)
	check(err)
	defer answer.Body.Close()
	if source := answer.Header.Get("X-OAGW-Error-Source"); answer.StatusCode != 200 || source != "upstream" {
		panic(fmt.Sprintf("got %s from %q", answer.Status, source))
	}
	var weather struct{ Location string }
	check(json.NewDecoder(answer.Body).Decode(&weather))
	if weather.Location != "Oslo" {
		panic(fmt.Sprintf("got the weather in %q", weather.Location))
	}
	fmt.Println("ok")
}
