// Take the exam with Go's net/http:
//
//	go build -o /tmp/with_net_http examples/exam/with_net_http.go
//	oagw-mock exam -- /tmp/with_net_http
//
// net/http has no retries, but for stale connections. It neither follows pages nor reads server-sent events.
// The time-out that it takes is for the whole call, while that of the exam is for the next byte: so it is three
// times as long here.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

type call struct {
	ID, Kind, URL, Method, Token string
	Headers                      map[string]string
	Body                         json.RawMessage
	Timeout                      float64
}

type said map[string]any

func report(c call) said {
	if c.Kind != "call" {
		return said{"outcome": "unsupported"}
	}
	failed := func(err error) said {
		return said{"outcome": "error", "error": fmt.Sprintf("%T", err), "message": err.Error()}
	}
	body := c.Body
	if string(body) == "null" {
		body = nil
	}
	request, err := http.NewRequest(c.Method, c.URL, bytes.NewReader(body))
	if err != nil {
		return failed(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.Token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.Headers {
		request.Header.Set(name, value)
	}
	client := http.Client{Timeout: time.Duration(3 * c.Timeout * float64(time.Second))}
	response, err := client.Do(request)
	if err != nil {
		return failed(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return failed(err)
	}
	if response.StatusCode >= 300 {
		source := response.Header.Values("X-OAGW-Error-Source")
		shown := said{"outcome": "error", "error": "status", "status": response.StatusCode, "source": nil}
		shown["message"] = string(answer)
		if len(source) > 0 {
			shown["source"] = source[0]
		}
		return shown
	}
	var value any
	if response.StatusCode != http.StatusNoContent {
		if err := json.Unmarshal(answer, &value); err != nil {
			return failed(err)
		}
	}
	return said{"outcome": "value", "value": value}
}

func main() {
	var turn sync.Mutex
	var calls sync.WaitGroup
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		calls.Add(1)
		go func() {
			defer calls.Done()
			shown := report(c)
			shown["id"] = c.ID
			turn.Lock()
			defer turn.Unlock()
			json.NewEncoder(os.Stdout).Encode(shown)
		}()
	}
	calls.Wait()
}
