// Stub, break, verify from a Go test, with the standard library alone: does the client honour Retry-After?
//
//	go run examples/verify.go
//
// OAGW_PYTHON names the interpreter (default: python3), OAGW_SERVER the script (default: server.py).
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

type Gateway struct{ URL string }

// Post calls the control plane, with the token of a sandbox for that sandbox alone; panics with its refusal.
func (gateway Gateway) Post(path, token, document string) (said struct{ Token string }) {
	request, err := http.NewRequest("POST", gateway.URL+"/__admin/"+path, strings.NewReader(document))
	check(err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	check(err)
	if answer.StatusCode/100 != 2 {
		panic(fmt.Sprintf("%s: %s %s", path, answer.Status, strings.ReplaceAll(string(body), `\n`, "\n")))
	}
	check(json.Unmarshal(body, &said))
	return said
}

// The client that is tested.
func weather(gateway Gateway, token string) {
	request, err := http.NewRequest("GET", gateway.URL+"/api/oagw/v1/proxy/weather/current?city=Oslo", nil)
	check(err)
	request.Header.Set("Authorization", "Bearer "+token)
	for {
		answer, err := http.DefaultClient.Do(request)
		check(err)
		answer.Body.Close()
		if answer.StatusCode == 200 {
			return
		}
		if answer.StatusCode != 429 {
			panic(answer.Status)
		}
		seconds, err := time.ParseDuration(answer.Header.Get("Retry-After") + "s")
		check(err)
		time.Sleep(seconds)
	}
}

func check(err error) {
	if err != nil { // in a test: t.Fatal
		panic(err)
	}
}

func main() {
	cmd := exec.Command("sh", "-c", `exec "${OAGW_PYTHON:-python3}" "${OAGW_SERVER:-server.py}" 0 --exit-with-parent`)
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe() // the server stops when this ends
	check(err)
	stdout, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	defer cmd.Process.Kill()
	var gateway Gateway
	check(json.NewDecoder(stdout).Decode(&gateway))
	sandbox := gateway.Post("sandboxes", "", "{}") // nobody else's stubs, nobody else's requests
	pattern := `{"method": "GET", "urlPath": "/api/oagw/v1/proxy/weather/current"}`
	problem := `{"problem": {"category": "resource_exhausted", "retryAfter": 1}}`
	gateway.Post("mappings", sandbox.Token, `{"request": `+pattern+`, "response": `+problem+`, "times": 1}`)
	weather(gateway, sandbox.Token)
	retried := `{"request": ` + pattern + `, "after": ` + pattern + `, "times": 1, "notSoonerThan": 1}`
	gateway.Post("verify", sandbox.Token, retried) // panics with the reason if the client did not do it
	fmt.Println("ok")
}
