// Package oagw controls the mock OAGW gateway from tests: stubs, toxics, upstreams, verification, the clock.
//
//	func TestCharge(t *testing.T) {
//		t.Parallel()
//		sandbox := oagw.NewSandbox(t) // starts a gateway for the package, or uses that of OAGW_URL
//		sandbox.Stub("POST stripe/v1/charges", oagw.Response{Status: 201, JSON: oagw.JSON{"id": "ch_1"}})
//		charge(sandbox.AliasURL("stripe"), sandbox.Token) // the client under test
//		sandbox.Verify("POST stripe/v1/charges", oagw.Times(1))
//	}
//
// A request is a string such as "GET stripe/v1/charges" (a method or ANY, an alias and the path below it), or a
// request pattern in WireMock's JSON, see [Pattern]. The methods of a [Sandbox] fail its test, and belong in the
// test's own goroutine; those of a [Control] and of a [Gateway] return errors. If the test failed, what the
// gateway saw is logged before the sandbox is deleted.
package oagw

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// JSON is an object in JSON.
type JSON = map[string]any

const (
	defaultToken = "test-integration-token"
	api          = "/api/oagw/v1"
	proxy        = api + "/proxy/"
	secrets      = "/credstore/v1/secrets"
	httpProtocol = "gts.cf.core.oagw.protocol.v1~cf.core.oagw.http.v1"
	callTimeout  = 60 * time.Second // verifications may wait for 30 s
	maxExcerpt   = 500              // characters of an answer that is not the control plane's
	maxWords     = 4000             // bytes of the process's standard error
	maxReport    = 20_000           // characters of a report card

	pendingTimeout = 5 * time.Second
	pendingPoll    = 5 * time.Millisecond
)

// Refused is the error of a call that the gateway or its control plane refused.
type Refused struct {
	Call   string // such as "POST /__admin/mappings"
	Status int
	Text   string // what is wrong, and where
}

func (refused *Refused) Error() string {
	return fmt.Sprintf("%s: %d %s", refused.Call, refused.Status, refused.Text)
}

// NotVerified is the error of a verification that failed.
type NotVerified struct{ Text string }

func (failed *NotVerified) Error() string { return failed.Text }

// Options are command-line options, such as "--clock", "manual", for the gateway that [Shared] starts. Set them
// before the first sandbox is made, in TestMain or in an init function.
var Options []string

var shared struct {
	once    sync.Once
	gateway *Gateway
	err     error
}

// Shared returns the gateway of this process. It starts it at the first call; it ends with the process.
func Shared() (*Gateway, error) {
	shared.once.Do(func() { shared.gateway, shared.err = Start(Options...) })
	return shared.gateway, shared.err
}

// A Gateway is a running gateway, and its default sandbox.
type Gateway struct {
	*Control
	process *exec.Cmd
	stdin   io.Closer
	said    *os.File // standard error of the process
}

// Start connects to the gateway at OAGW_URL, or starts one with these command-line options on a free port. It runs
// OAGW_SERVER (the path of server.py) with OAGW_PYTHON, the server of the checkout that this file is in, or the
// command oagw-mock. The server stops at Close, and with this process, even if this process is killed.
func Start(options ...string) (*Gateway, error) {
	if address := os.Getenv("OAGW_URL"); address != "" {
		return Connect(address)
	}
	gateway := &Gateway{}
	gateway.Control = newControl(gateway, "")
	program := command()
	line := append(program, "0", "--exit-with-parent")
	if os.Getenv("OAGW_TOKEN") == "" { // which is an option of the server as well
		line = append(line, "--token="+gateway.Token)
	}
	gateway.process = exec.Command(line[0], append(line[1:], options...)...)
	if err := gateway.listen(); err != nil {
		said := gateway.lastWords()
		gateway.Close()
		return nil, fmt.Errorf("the gateway did not start (%s): %w\n%s", strings.Join(program, " "), err, said)
	}
	return gateway, nil
}

// Connect returns the gateway that runs at address, such as http://127.0.0.1:8765. OAGW_TOKEN and OAGW_ADMIN_TOKEN
// are its tokens, if it has others than by default.
func Connect(address string) (*Gateway, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "http" || parsed.Host == "" || parsed.User != nil ||
		strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" {
		return nil, errors.New("OAGW_URL is not the URL of a gateway, such as http://127.0.0.1:8765")
	}
	gateway := &Gateway{}
	gateway.Control = newControl(gateway, "http://"+parsed.Host)
	return gateway, nil
}

func newControl(gateway *Gateway, address string) *Control {
	token := defaultToken
	if several := strings.Fields(os.Getenv("OAGW_TOKEN")); len(several) > 0 {
		token = several[0]
	}
	return &Control{URL: address, Token: token, bearer: os.Getenv("OAGW_ADMIN_TOKEN"), gateway: gateway}
}

// listen starts the process and reads where it listens.
func (gateway *Gateway) listen() (err error) {
	// A file needs no goroutine that copies, and nothing can block on it.
	if gateway.said, err = os.CreateTemp("", "oagw-mock-*"); err != nil {
		return err
	}
	os.Remove(gateway.said.Name())
	gateway.process.Stderr = gateway.said
	// The server stops at the end of its standard input, so it cannot outlive this process.
	if gateway.stdin, err = gateway.process.StdinPipe(); err != nil {
		return err
	}
	stdout, err := gateway.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := gateway.process.Start(); err != nil {
		return err
	}
	var event struct{ URL string }
	if err := json.NewDecoder(stdout).Decode(&event); err != nil {
		return err
	}
	gateway.URL = event.URL
	return nil
}

// Close stops the gateway, if Start started it.
func (gateway *Gateway) Close() {
	if gateway.process == nil {
		return
	}
	if gateway.stdin != nil {
		gateway.stdin.Close()
	}
	if gateway.process.Process != nil && gateway.process.ProcessState == nil {
		gateway.process.Process.Kill() // it has nothing to save
		gateway.process.Wait()
	}
}

// lastWords returns the end of what the process wrote to standard error.
func (gateway *Gateway) lastWords() string {
	if gateway.said == nil {
		return ""
	}
	info, err := gateway.said.Stat()
	if err != nil {
		return ""
	}
	start := info.Size() - maxWords
	if start < 0 {
		start = 0
	}
	text := make([]byte, maxWords)
	read, _ := gateway.said.ReadAt(text, start)
	return strings.TrimSpace(string(text[:read]))
}

// command returns the program and the arguments that start a server.
func command() []string {
	server, python := os.Getenv("OAGW_SERVER"), os.Getenv("OAGW_PYTHON")
	installed, err := exec.LookPath("oagw-mock")
	if server == "" {
		_, here, _, _ := runtime.Caller(0)
		checkout := filepath.Join(filepath.Dir(here), "..", "..")
		if exists(filepath.Join(checkout, "oagw", "server")) {
			server = filepath.Join(checkout, "server.py")
		} else if python != "" {
			return []string{python, "-m", "oagw"}
		}
	}
	beside := filepath.Join(filepath.Dir(server), ".venv", "bin", "python")
	switch {
	case server == "":
		return []string{"oagw-mock"}
	case python != "":
		return []string{python, server}
	case exists(beside):
		return []string{beside, server}
	case os.Getenv("OAGW_SERVER") == "" && err == nil:
		return []string{installed}
	}
	return []string{"python3", server}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// A Control calls the control plane for one sandbox. Its methods return errors: *[Refused] if the control plane
// refuses a call, *[NotVerified] if a verification fails.
type Control struct {
	URL   string            // of the gateway, such as http://127.0.0.1:41234
	Token string            // the bearer token that the client under test has to send
	ID    string            // of the sandbox; "" for the default sandbox
	Warn  func(text string) // takes why a stub or toxic cannot act as things are; standard error by default

	Tenants map[string]Tenant // of the sandbox, by name

	bearer  string // the token for calls to the control plane
	gateway *Gateway
}

// A Tenant of a sandbox. Its token leads to the sandbox as this tenant.
type Tenant struct{ ID, Token string }

// AliasURL returns the URL of the upstream alias, without a trailing slash.
func (control *Control) AliasURL(alias string) string { return control.URL + proxy + alias }

// It keeps no connection, and so leaves no goroutine behind.
var client = &http.Client{
	Timeout:   callTimeout,
	Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true},
}

// Call calls /__admin + path with document as JSON, if it is not nil, and decodes the answer into result, if that is
// not nil; a *string gets the text.
func (control *Control) Call(method, path string, document, result any) error {
	warnings, err := control.call(method, path, document, result)
	control.warn(warnings)
	return err
}

func (control *Control) warn(warnings []string) {
	for _, warning := range warnings {
		if control.Warn != nil {
			control.Warn(warning)
		} else {
			fmt.Fprintln(os.Stderr, "oagw: warning:", warning)
		}
	}
}

func (control *Control) call(method, path string, document, result any) (warnings []string, err error) {
	return control.ask(method, "/__admin"+path, control.admin(), document, result)
}

// admin returns the header fields of calls to the control plane.
func (control *Control) admin() map[string]string { return bearer(control.bearer) }

func bearer(token string) map[string]string {
	if token == "" {
		return map[string]string{}
	}
	return map[string]string{"Authorization": "Bearer " + token}
}

// ask calls the gateway at path, with these header fields.
func (control *Control) ask(
	method, path string, headers map[string]string, document, result any,
) (warnings []string, err error) {
	status, text, warnings, err := control.exchange(method, path, headers, document)
	if err == nil && status/100 != 2 {
		err = &Refused{method + " " + path, status, refusal(text)}
	}
	if err != nil || result == nil {
		return nil, err
	}
	if plain, ok := result.(*string); ok {
		*plain = string(text)
		return nil, nil
	}
	if json.Unmarshal(text, result) != nil {
		return nil, &Refused{method + " " + path, status, "not the answer of a gateway: " + cut(maxExcerpt, string(text))}
	}
	return warnings, nil
}

func (control *Control) exchange(
	method, path string, headers map[string]string, document any,
) (int, []byte, []string, error) {
	call := method + " " + control.URL + path
	var body io.Reader
	if document != nil {
		text, err := json.Marshal(document)
		if err != nil {
			return 0, nil, nil, fmt.Errorf("%s: %w", call, err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, control.URL+path, body)
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := client.Do(request)
	if err != nil {
		if said := control.gateway.lastWords(); said != "" {
			err = fmt.Errorf("%w; the gateway said: %s", err, said)
		}
		return 0, nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("%s: %w", call, err)
	}
	return answer.StatusCode, text, answer.Header.Values("X-OAGW-Warning"), nil
}

// refusal returns what a refusal says is wrong.
func refusal(text []byte) string {
	var refused struct {
		Errors []struct {
			Detail string
			Source struct{ Pointer string }
		}
		Error string // of a problem of the gateway
	}
	if json.Unmarshal(text, &refused) != nil || len(refused.Errors) == 0 && refused.Error == "" {
		return cut(maxExcerpt, string(text))
	}
	if refused.Error != "" {
		return refused.Error
	}
	var said []string
	for _, one := range refused.Errors {
		if one.Source.Pointer != "" {
			one.Detail = one.Source.Pointer + ": " + one.Detail
		}
		said = append(said, one.Detail)
	}
	return strings.Join(said, "; ")
}

// Pattern returns a request pattern in WireMock's JSON: that of a request such as "POST stripe/v1/charges", with
// further conditions, such as JSON{"headers": JSON{"X-Id": JSON{"matches": ".+"}}}.
//
// A path that begins with a slash is the whole path; one with "?" is compared with the query, one with "{" is a
// template, such as v1/charges/{id}.
func Pattern(request string, conditions JSON) JSON {
	method, path, _ := strings.Cut(strings.TrimSpace(request), " ")
	path = strings.TrimSpace(path)
	if !strings.HasPrefix(path, "/") {
		path = proxy + path
	}
	member := "urlPath"
	if strings.Contains(path, "?") {
		member = "url"
	} else if strings.Contains(path, "{") {
		member = "urlPathTemplate"
	}
	pattern := JSON{"method": strings.ToUpper(method), member: path}
	for name, condition := range conditions {
		pattern[name] = condition
	}
	return pattern
}

func asPattern(request any) (any, error) {
	text, ok := request.(string)
	if !ok {
		return request, nil
	}
	if _, path, _ := strings.Cut(strings.TrimSpace(text), " "); strings.TrimSpace(path) == "" {
		return nil, fmt.Errorf("%q is not a method and a path, such as \"GET weather/current\"", text)
	}
	return Pattern(text, nil), nil
}

// A Response is what a stub answers: by default, an empty 200.
type Response struct {
	Status  int
	Headers map[string]string
	JSON    any    // sent as application/json, unless Headers have a Content-Type
	Body    string // may be binary
	Problem any    // an error of the gateway: its category, such as "resource_exhausted", or a JSON with more
	SSE     any    // a stream: a list of events, or a JSON with "events" and "ends"
	Delay   time.Duration
	More    JSON // further members of WireMock's response, and of ours

	Times    int  // how often the stub answers; 0 is always
	Priority int  // the least answers, and of those the newest; 5 by default
	Mapping  JSON // further members of the stub, such as "scenarioName"
}

func (response Response) mapping(request any) (JSON, error) {
	pattern, err := asPattern(request)
	if err != nil {
		return nil, err
	}
	headers := JSON{}
	hasType := false
	for name, value := range response.Headers {
		headers[name] = value
		hasType = hasType || strings.EqualFold(name, "Content-Type")
	}
	if response.JSON != nil && !hasType {
		headers["Content-Type"] = "application/json"
	}
	definition := JSON{}
	put(definition, "status", response.Status, response.Status != 0)
	put(definition, "headers", headers, len(headers) > 0)
	put(definition, "jsonBody", response.JSON, response.JSON != nil)
	if utf8.ValidString(response.Body) {
		put(definition, "body", response.Body, response.Body != "")
	} else {
		definition["base64Body"] = base64.StdEncoding.EncodeToString([]byte(response.Body))
	}
	put(definition, "problem", response.Problem, response.Problem != nil)
	put(definition, "sse", response.SSE, response.SSE != nil)
	put(definition, "fixedDelayMilliseconds", response.Delay.Milliseconds(), response.Delay != 0)
	for name, value := range response.More {
		definition[name] = value
	}
	mapping := JSON{"request": pattern, "response": definition}
	name, named := request.(string)
	put(mapping, "name", name, named) // messages call the stub by it
	put(mapping, "times", response.Times, response.Times != 0)
	put(mapping, "priority", response.Priority, response.Priority != 0)
	for name, value := range response.Mapping {
		mapping[name] = value
	}
	return mapping, nil
}

func put(document JSON, name string, value any, given bool) {
	if given {
		document[name] = value
	}
}

// Stub answers requests that match request with response, and returns the id of the stub.
func (control *Control) Stub(request any, response Response) (string, error) {
	id, warnings, err := control.stub(request, response)
	control.warn(warnings)
	return id, err
}

func (control *Control) stub(request any, response Response) (string, []string, error) {
	mapping, err := response.mapping(request)
	if err != nil {
		return "", nil, err
	}
	var stub struct{ ID string }
	warnings, err := control.call("POST", "/mappings", mapping, &stub)
	return stub.ID, warnings, err
}

// RemoveStub deletes a stub, if it still exists.
func (control *Control) RemoveStub(id string) error {
	return control.remove("/mappings/" + url.PathEscape(id))
}

func (control *Control) remove(path string) error {
	return unlessGone(control.Call("DELETE", path, nil, nil))
}

func unlessGone(err error) error {
	var refused *Refused
	if errors.As(err, &refused) && refused.Status == 404 {
		return nil
	}
	return err
}

// On says on which answers a toxic acts: all of the sandbox, those of an alias, those to a request.
type On struct {
	Alias    string
	Request  any
	Toxicity float64 // how probably it acts; 0 is 1
	Skip     int     // how many answers it lets pass at first
	Times    int     // on how many it then acts; 0 is all
	Name     string
	More     JSON // further members of the toxic
}

// Toxic adds a toxic of Toxiproxy's kind, such as "latency" with JSON{"latency": 100}, and returns its name. The
// attributes have Toxiproxy's units.
func (control *Control) Toxic(kind string, attributes JSON, on ...On) (string, error) {
	name, warnings, err := control.toxic(kind, attributes, on)
	control.warn(warnings)
	return name, err
}

func (control *Control) toxic(kind string, attributes JSON, on []On) (string, []string, error) {
	toxic := JSON{"type": kind, "name": fmt.Sprintf("%s_%d", kind, time.Now().UnixNano())}
	put(toxic, "attributes", attributes, attributes != nil)
	for _, one := range on {
		put(toxic, "alias", one.Alias, one.Alias != "")
		put(toxic, "toxicity", one.Toxicity, one.Toxicity != 0)
		put(toxic, "skip", one.Skip, one.Skip != 0)
		put(toxic, "times", one.Times, one.Times != 0)
		put(toxic, "name", one.Name, one.Name != "")
		if one.Request != nil {
			pattern, err := asPattern(one.Request)
			if err != nil {
				return "", nil, err
			}
			toxic["request"] = pattern
		}
		for name, value := range one.More {
			toxic[name] = value
		}
	}
	var made struct{ Name string }
	warnings, err := control.call("POST", "/toxics", toxic, &made)
	return made.Name, warnings, err
}

// RemoveToxic deletes a toxic, if it still exists.
func (control *Control) RemoveToxic(name string) error {
	return control.remove("/toxics/" + url.PathEscape(name))
}

// Reset deletes stubs, toxics, requests, upstreams and secrets, and resets scenarios and settings.
func (control *Control) Reset() error { return control.Call("POST", "/reset", nil, nil) }

// Manage calls the management API, /api/oagw/v1 + path, with document as JSON, if it is not nil, and decodes the answer
// into result, if that is not nil.
func (control *Control) Manage(method, path string, document, result any) error {
	_, err := control.ask(method, api+path, bearer(control.Token), document, result)
	return err
}

// UpstreamOptions are the policies of an upstream, with the members of the management API, and the route that it gets.
type UpstreamOptions struct {
	Auth, Headers, Plugins, RateLimit, CORS JSON

	Tags     []string
	Disabled bool

	Methods []string // of the route; by default all that routes can have
	Query   []string // the query parameters that the route allows; by default none
	NoRoute bool
}

// RouteOptions say which calls a route lets pass, and its policies, with the members of the management API.
type RouteOptions struct {
	Path           string   // the beginning of the path below the alias, "/" by default; the longest one counts
	Methods        []string // by default all that routes can have
	Query          []string // the query parameters that are allowed; by default none
	PathSuffixMode string   // "append", the default, or "disabled"
	Priority       int      // among routes with the same path, the highest counts

	Plugins, RateLimit, CORS JSON

	Tags     []string
	Disabled bool
}

// An Upstream is registered at the gateway. That of a sandbox is deleted with it.
type Upstream struct {
	ID    string
	Alias string // the effective one: that of a hostname follows from it
	URL   string // what the client under test calls; it stands for the base URL

	control *Control
}

// A Route of an upstream.
type Route struct {
	ID string

	control *Control
}

// A Secret is in the credential store of the gateway. That of a sandbox is deleted with it.
type Secret struct {
	Name string
	Ref  string // for JSON{"secret_ref": secret.Ref} in the configuration of an Auth

	control *Control
}

// Upstream registers an upstream at baseURL, such as http://127.0.0.1:9000/v1, and a route for its path. "localhost"
// becomes 127.0.0.1. An IP address needs an alias; that of a hostname follows from it, so it must be "".
func (control *Control) Upstream(alias, baseURL string, options ...UpstreamOptions) (*Upstream, error) {
	endpoint, path, err := endpointOf(baseURL)
	if err != nil {
		return nil, err
	}
	document := JSON{"protocol": httpProtocol, "server": JSON{"endpoints": []any{endpoint}}}
	put(document, "alias", alias, alias != "")
	route := RouteOptions{Path: path}
	withoutRoute := false
	for _, one := range options {
		put(document, "auth", one.Auth, one.Auth != nil)
		put(document, "headers", one.Headers, one.Headers != nil)
		putPolicies(document, one.Plugins, one.RateLimit, one.CORS, one.Tags, one.Disabled)
		route.Methods, route.Query = one.Methods, one.Query
		withoutRoute = one.NoRoute
	}
	made := &Upstream{control: control}
	if err := control.Manage("POST", "/upstreams", document, made); err != nil {
		return nil, err
	}
	made.URL = control.AliasURL(made.Alias) + path
	if withoutRoute {
		return made, nil
	}
	if _, err := control.Route(made, route); err != nil {
		made.Remove()
		return nil, err
	}
	return made, nil
}

func putPolicies(document, plugins, rateLimit, cors JSON, tags []string, disabled bool) {
	put(document, "plugins", plugins, plugins != nil)
	put(document, "rate_limit", rateLimit, rateLimit != nil)
	put(document, "cors", cors, cors != nil)
	put(document, "tags", tags, tags != nil)
	put(document, "enabled", false, disabled)
}

// endpointOf returns the endpoint of a base URL, and its path without a slash at the end.
func endpointOf(baseURL string) (JSON, string, error) {
	parsed, err := url.Parse(baseURL)
	if err != nil || parsed.Hostname() == "" || parsed.User != nil || strings.ContainsAny(baseURL, "?#") {
		return nil, "", errors.New("not the base URL of an upstream, such as http://127.0.0.1:9000/v1")
	}
	host, port := parsed.Hostname(), 443
	if strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	if parsed.Port() != "" {
		if port, err = strconv.Atoi(parsed.Port()); err != nil {
			return nil, "", fmt.Errorf("the port of an upstream is out of range: %s", parsed.Port())
		}
	} else if parsed.Scheme == "http" {
		port = 80
	}
	endpoint := JSON{"scheme": parsed.Scheme, "host": host, "port": port}
	return endpoint, strings.TrimRight(parsed.EscapedPath(), "/"), nil
}

// Remove deletes the upstream with its routes, if it still exists.
func (upstream *Upstream) Remove() error {
	return unlessGone(upstream.control.Manage("DELETE", "/upstreams/"+upstream.ID, nil, nil))
}

// Route lets calls of an upstream pass.
func (control *Control) Route(upstream *Upstream, options RouteOptions) (*Route, error) {
	match := JSON{"path": "/", "methods": options.Methods, "query_allowlist": options.Query}
	put(match, "path", options.Path, options.Path != "")
	put(match, "methods", []string{"GET", "POST", "PUT", "DELETE", "PATCH"}, options.Methods == nil)
	put(match, "query_allowlist", []string{}, options.Query == nil)
	put(match, "path_suffix_mode", options.PathSuffixMode, options.PathSuffixMode != "")
	document := JSON{"upstream_id": upstream.ID, "match": JSON{"http": match}}
	put(document, "priority", options.Priority, options.Priority != 0)
	putPolicies(document, options.Plugins, options.RateLimit, options.CORS, options.Tags, options.Disabled)
	made := &Route{control: control}
	if err := control.Manage("POST", "/routes", document, made); err != nil {
		return nil, err
	}
	return made, nil
}

// Remove deletes the route, if it still exists.
func (route *Route) Remove() error {
	return unlessGone(route.control.Manage("DELETE", "/routes/"+route.ID, nil, nil))
}

// Secret puts a value into the credential store. Its sharing is "private", "tenant" (the default) or "shared".
func (control *Control) Secret(name, value string, sharing ...string) (*Secret, error) {
	document := JSON{"reference": name, "value": value}
	for _, one := range sharing {
		document["sharing"] = one
	}
	if _, err := control.ask("POST", secrets, bearer(control.Token), document, nil); err != nil {
		return nil, err
	}
	return &Secret{name, "cred://" + name, control}, nil
}

// Remove deletes the secret, if it still exists.
func (secret *Secret) Remove() error {
	headers := bearer(secret.control.Token)
	headers["If-Match"] = "*"
	_, err := secret.control.ask("DELETE", secrets+"/"+secret.Name, headers, nil, nil)
	return unlessGone(err)
}

// An Expectation is what Verify expects of the requests that match: by default, that there is at least one.
type Expectation func(document JSON) error

func expect(name string, value any) Expectation {
	return func(document JSON) error { document[name] = value; return nil }
}

// Times expects exactly count requests.
func Times(count int) Expectation { return expect("times", count) }

// AtLeast expects count requests or more.
func AtLeast(count int) Expectation { return expect("atLeast", count) }

// AtMost expects no more than count requests.
func AtMost(count int) Expectation { return expect("atMost", count) }

// After counts only the requests that came after the answer to one that matches request.
func After(request any) Expectation {
	return func(document JSON) (err error) { document["after"], err = asPattern(request); return err }
}

// NotSoonerThan is the least time between the answer of After and the request.
func NotSoonerThan(pause time.Duration) Expectation { return expect("notSoonerThan", pause.Seconds()) }

// NotLaterThan is the most time between the answer of After and the request.
func NotLaterThan(pause time.Duration) Expectation { return expect("notLaterThan", pause.Seconds()) }

// Within waits that long for the expectation to hold, 30 s at most.
func Within(patience time.Duration) Expectation { return expect("within", patience.Seconds()) }

// Verify returns how many requests match request; *NotVerified says why they are not as expected.
func (control *Control) Verify(request any, expected ...Expectation) (int, error) {
	pattern, err := asPattern(request)
	document := JSON{"request": pattern}
	for _, one := range expected {
		if err == nil {
			err = one(document)
		}
	}
	if err != nil {
		return 0, err
	}
	status, text, _, err := control.exchange("POST", "/__admin/verify", control.admin(), document)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Verified *bool
		Count    int
		Text     string
	}
	if json.Unmarshal(text, &answer) != nil || answer.Verified == nil {
		return 0, &Refused{"POST /__admin/verify", status, refusal(text)}
	}
	if !*answer.Verified {
		return answer.Count, &NotVerified{answer.Text}
	}
	return answer.Count, nil
}

// A Request is a request of the journal. Secrets are masked.
type Request struct {
	Method, URL, Body string
	Headers           Headers
	OAGW              Exchange
}

// Headers are the header fields of a request.
type Headers map[string][]string

// Get returns the first value of the header field, whose name is in any case, or "".
func (headers Headers) Get(name string) string {
	for one, values := range headers {
		if strings.EqualFold(one, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// UnmarshalJSON reads WireMock's form, in which a single value is a string.
func (headers *Headers) UnmarshalJSON(text []byte) error {
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	*headers = Headers{}
	for name, value := range raw {
		if several, ok := value.([]any); ok {
			for _, one := range several {
				(*headers)[name] = append((*headers)[name], fmt.Sprint(one))
			}
		} else {
			(*headers)[name] = []string{fmt.Sprint(value)}
		}
	}
	return nil
}

// An Exchange says how a request was answered. Times are in seconds since 1970.
type Exchange struct {
	ID          string
	Connection  int // the number of the connection
	Turn        int // the number of the request on its connection
	Alias       string
	AnsweredBy  string // "gateway", "service", "stub", "upstream" or "fault"
	Stub        string // the id of the stub that answered
	Status      int    // 0 if no answer was sent
	ErrorSource string
	Time        float64
	FirstByte   float64
	LastByte    float64
	BytesSent   int
	EventsSent  int
	Ended       string // "open", "complete", "client_left", "truncated" or "reset"
	Toxics      []string
}

// Requests returns the requests of the sandbox, oldest first: all, or those that match a request.
func (control *Control) Requests(request ...any) ([]Request, error) {
	var pattern any = JSON{}
	if len(request) > 0 {
		var err error
		if pattern, err = asPattern(request[0]); err != nil {
			return nil, err
		}
	}
	var found struct{ Requests []Request }
	err := control.Call("POST", "/requests/find", pattern, &found)
	return found.Requests, err
}

// A Report lists what a careful client would not do, and what had no effect.
type Report struct {
	Requests int
	Findings []struct {
		Rule, Severity, Text string
		Entries              []string // the ids of the requests that prove it
	}
	NotChecked []struct{ Rule, Reason string }
	Unused     []Unused
	Unmatched  []Unmatched
}

// Unused is a stub that matched no request, or a toxic that affected no response.
type Unused struct{ Kind, ID, Name, Text, Severity string }

// Unmatched is a request that nothing could answer, and the nearest stub.
type Unmatched struct{ Request, Text, Stub string }

// A Known tells the report what the test knows of the client.
type Known string

const (
	// RetryDue says that the client has to retry every truncated response.
	RetryDue Known = "retryDue=true"
	// StreamsCancelled says that the test cancelled every stream.
	StreamsCancelled Known = "streamsCancelled=true"
)

// Report returns the report on the client.
func (control *Control) Report(known ...Known) (*Report, error) {
	report := &Report{}
	err := control.Call("GET", reportPath("json", known), nil, report)
	return report, err
}

// ReportText returns the report as text.
func (control *Control) ReportText(known ...Known) (string, error) {
	var text string
	err := control.Call("GET", reportPath("text", known), nil, &text)
	return text, err
}

func reportPath(format string, known []Known) string {
	path := "/report?format=" + format
	for _, one := range known {
		path += "&" + string(one)
	}
	return path
}

// A Clock is the state of the gateway's clock, which all sandboxes share.
type Clock struct {
	Mode    string   // "manual" or "real"
	Now     float64  // in seconds since 1970
	Pending int      // how many answers wait for a time to come
	Next    *float64 // the first of those times
}

// Clock returns the state of the clock.
func (gateway *Gateway) Clock() (Clock, error) {
	var clock Clock
	err := gateway.Call("GET", "/clock", nil, &clock)
	return clock, err
}

// AdvanceClock moves the clock of "--clock manual"; it returns when all that fell due has been written.
func (gateway *Gateway) AdvanceClock(step time.Duration) error {
	return gateway.Call("POST", "/clock/advance", JSON{"seconds": step.Seconds()}, nil)
}

// AdvanceClockUntilIdle moves the clock of "--clock manual" until no answer waits for a time to come.
func (gateway *Gateway) AdvanceClockUntilIdle() error {
	return gateway.Call("POST", "/clock/advance", JSON{"untilIdle": true}, nil)
}

// WaitPending waits, 5 s at most, until count answers wait for a time to come: then advance the clock.
func (gateway *Gateway) WaitPending(count int) error {
	for deadline := time.Now().Add(pendingTimeout); ; time.Sleep(pendingPoll) {
		clock, err := gateway.Clock()
		if err != nil || clock.Pending >= count {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d answers wait for the clock, not %d, after %s", clock.Pending, count, pendingTimeout)
		}
	}
}

// A SandboxOption is an option of a new sandbox.
type SandboxOption func(*sandboxOptions)

type sandboxOptions struct {
	document JSON
	strict   bool
}

// Strict fails the test if a stub was not called, or a call was answered by the gateway's own 404.
func Strict() SandboxOption { return func(options *sandboxOptions) { options.strict = true } }

// ExpiresAfter deletes the sandbox that long after its last use, even if the test process is gone.
func ExpiresAfter(lifetime time.Duration) SandboxOption {
	return func(options *sandboxOptions) { options.document["expiresAfterSeconds"] = lifetime.Seconds() }
}

// Named names the sandbox: with "--seed", what is random in it depends on its name and its own requests. No other may
// have this name.
func Named(name string) SandboxOption {
	return func(options *sandboxOptions) { options.document["name"] = name }
}

// Tenants gives the sandbox a tree of tenants, the parent of each by its name, "" for the root:
// map[string]string{"root": "", "child": "root"}. Their tokens are in Control.Tenants.
func Tenants(parents map[string]string) SandboxOption {
	tree := JSON{}
	for name, parent := range parents {
		tree[name] = nil
		put(tree, name, parent, parent != "")
	}
	return func(options *sandboxOptions) { options.document["tenants"] = tree }
}

// OpenSandbox makes a sandbox that is not bound to a test. DeleteSandbox deletes it.
func (gateway *Gateway) OpenSandbox(options ...SandboxOption) (*Control, error) {
	control, _, err := gateway.open(options)
	return control, err
}

func (gateway *Gateway) open(options []SandboxOption) (*Control, bool, error) {
	chosen := sandboxOptions{document: JSON{}}
	for _, option := range options {
		option(&chosen)
	}
	var made struct {
		ID, Token string
		Tenants   map[string]Tenant
	}
	if err := gateway.Call("POST", "/sandboxes", chosen.document, &made); err != nil {
		return nil, false, err
	}
	control := &Control{
		URL: gateway.URL, Token: made.Token, ID: made.ID, Tenants: made.Tenants, bearer: made.Token, gateway: gateway,
	}
	return control, chosen.strict, nil
}

// DeleteSandbox deletes a sandbox with all its state, if it still exists.
func (gateway *Gateway) DeleteSandbox(sandbox *Control) error {
	return gateway.remove("/sandboxes/" + url.PathEscape(sandbox.ID))
}

// TB is what a sandbox needs of a *testing.T.
type TB interface {
	Helper()
	Name() string
	Failed() bool
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A Sandbox has stubs, toxics and a journal of its own, for the requests with its Token. It is bound to a test, which
// fails if a method does; Control has methods that return errors.
type Sandbox struct {
	URL     string // of the gateway
	Token   string // the bearer token that the client under test has to send
	Control *Control
	Gateway *Gateway

	t TB
}

// NewSandbox makes a sandbox of the Shared gateway for the test t.
func NewSandbox(t TB, options ...SandboxOption) *Sandbox {
	t.Helper()
	gateway, err := Shared()
	if err != nil {
		t.Fatalf("oagw: %v", err)
	}
	return gateway.NewSandbox(t, options...)
}

// NewSandbox makes a sandbox for the test t. It is deleted at the end of the test; if that failed, what the gateway
// saw is logged first.
func (gateway *Gateway) NewSandbox(t TB, options ...SandboxOption) *Sandbox {
	t.Helper()
	control, strict, err := gateway.open(options)
	if err != nil {
		t.Fatalf("oagw: %v", err)
	}
	t.Cleanup(func() {
		t.Helper()
		if strict && !t.Failed() {
			if err := control.Check(); err != nil {
				t.Errorf("oagw: %v", err)
			}
		}
		if t.Failed() {
			t.Logf("%s", control.ReportCard())
		}
		if err := gateway.DeleteSandbox(control); err != nil {
			t.Logf("oagw: %v", err)
		}
	})
	return &Sandbox{URL: control.URL, Token: control.Token, Control: control, Gateway: gateway, t: t}
}

func (sandbox *Sandbox) must(err error, warnings ...string) {
	sandbox.t.Helper()
	for _, warning := range warnings {
		sandbox.t.Logf("oagw: warning: %s", warning)
	}
	if err != nil {
		sandbox.t.Fatalf("oagw: %v", err)
	}
}

// AliasURL returns the URL of the upstream alias, without a trailing slash.
func (sandbox *Sandbox) AliasURL(alias string) string { return sandbox.Control.AliasURL(alias) }

// NewUpstream registers an upstream for the test t, in the default sandbox. It is removed at the end of the test.
func (gateway *Gateway) NewUpstream(t TB, alias, baseURL string, options ...UpstreamOptions) *Upstream {
	t.Helper()
	upstream, err := gateway.Upstream(alias, baseURL, options...)
	if err != nil {
		t.Fatalf("oagw: %v", err)
	}
	t.Cleanup(func() {
		t.Helper()
		if err := upstream.Remove(); err != nil {
			t.Logf("oagw: %v", err)
		}
	})
	return upstream
}

// Upstream registers an upstream at baseURL, such as http://127.0.0.1:9000/v1, and a route to it; see
// [Control.Upstream].
func (sandbox *Sandbox) Upstream(alias, baseURL string, options ...UpstreamOptions) *Upstream {
	sandbox.t.Helper()
	upstream, err := sandbox.Control.Upstream(alias, baseURL, options...)
	sandbox.must(err)
	return upstream
}

// Route lets calls of an upstream pass.
func (sandbox *Sandbox) Route(upstream *Upstream, options RouteOptions) *Route {
	sandbox.t.Helper()
	route, err := sandbox.Control.Route(upstream, options)
	sandbox.must(err)
	return route
}

// Secret puts a value into the credential store.
func (sandbox *Sandbox) Secret(name, value string, sharing ...string) *Secret {
	sandbox.t.Helper()
	secret, err := sandbox.Control.Secret(name, value, sharing...)
	sandbox.must(err)
	return secret
}

// A Stub of a sandbox.
type Stub struct {
	ID      string
	sandbox *Sandbox
}

// Stub answers requests that match request with response.
func (sandbox *Sandbox) Stub(request any, response Response) *Stub {
	sandbox.t.Helper()
	id, warnings, err := sandbox.Control.stub(request, response)
	sandbox.must(err, warnings...)
	return &Stub{id, sandbox}
}

// Requests returns the requests that the stub answered, oldest first.
func (stub *Stub) Requests() []Request {
	stub.sandbox.t.Helper()
	found, err := stub.sandbox.Control.RequestsOf(stub.ID)
	stub.sandbox.must(err)
	return found
}

// Remove deletes the stub, if it still exists.
func (stub *Stub) Remove() {
	stub.sandbox.t.Helper()
	stub.sandbox.must(stub.sandbox.Control.RemoveStub(stub.ID))
}

// A Toxic of a sandbox.
type Toxic struct {
	Name    string
	sandbox *Sandbox
}

// Toxic adds a toxic of Toxiproxy's kind, such as "latency" with JSON{"latency": 100}.
func (sandbox *Sandbox) Toxic(kind string, attributes JSON, on ...On) *Toxic {
	sandbox.t.Helper()
	name, warnings, err := sandbox.Control.toxic(kind, attributes, on)
	sandbox.must(err, warnings...)
	return &Toxic{name, sandbox}
}

// Remove deletes the toxic, if it still exists.
func (toxic *Toxic) Remove() {
	toxic.sandbox.t.Helper()
	toxic.sandbox.must(toxic.sandbox.Control.RemoveToxic(toxic.Name))
}

// Verify returns how many requests match request; the test fails with the reason if they are not as expected.
func (sandbox *Sandbox) Verify(request any, expected ...Expectation) int {
	sandbox.t.Helper()
	count, err := sandbox.Control.Verify(request, expected...)
	sandbox.must(err)
	return count
}

// Requests returns the requests of the sandbox, oldest first: all, or those that match a request.
func (sandbox *Sandbox) Requests(request ...any) []Request {
	sandbox.t.Helper()
	found, err := sandbox.Control.Requests(request...)
	sandbox.must(err)
	return found
}

// Report returns the report on the client.
func (sandbox *Sandbox) Report(known ...Known) *Report {
	sandbox.t.Helper()
	report, err := sandbox.Control.Report(known...)
	sandbox.must(err)
	return report
}

// AdvanceClock moves the clock of "--clock manual", which all sandboxes share.
func (sandbox *Sandbox) AdvanceClock(step time.Duration) {
	sandbox.t.Helper()
	sandbox.must(sandbox.Gateway.AdvanceClock(step))
}

// AdvanceClockUntilIdle moves the clock of "--clock manual" until no answer waits for a time to come.
func (sandbox *Sandbox) AdvanceClockUntilIdle() {
	sandbox.t.Helper()
	sandbox.must(sandbox.Gateway.AdvanceClockUntilIdle())
}

// WaitPending waits, 5 s at most, until count answers wait for a time to come: then advance the clock.
func (sandbox *Sandbox) WaitPending(count int) {
	sandbox.t.Helper()
	sandbox.must(sandbox.Gateway.WaitPending(count))
}

// A Situation of the exam: what happens to a client, and what a correct client does.
type Situation struct {
	Name, Group, Kind            string
	Happens, Correct, Legitimate string

	gateway *Gateway
}

// An ExamCall is a call that the client under test has to make.
type ExamCall struct {
	ID          string
	Kind        string // "call", "stream" or "pages"
	URL         string // BaseURL + Path, for clients that want these
	BaseURL     string `json:"base_url"`
	Path        string
	Token       string // sent as "Authorization: Bearer TOKEN"
	Method      string
	Headers     map[string]string // sent besides the token
	Body        any               // sent as JSON; nil is no body
	Timeout     time.Duration     // how long the client should wait for the next byte
	Retries     int               // how often it should retry at most
	CancelAfter *int              `json:"cancel_after"` // of a stream: after how many pieces of text to cancel it
}

// An ExamClient makes a call with the client under test and returns the report on it, such as
// JSON{"outcome": "value", "value": ...}: docs/exam.md lists the members. It may be called in several goroutines at
// once.
type ExamClient func(call ExamCall) JSON

// Exam examines a client in situations of the exam, on the [Shared] gateway; see [Gateway.Exam].
func Exam(t *testing.T, client ExamClient, only ...string) {
	t.Helper()
	gateway, err := Shared()
	if err != nil {
		t.Fatalf("oagw: %v", err)
	}
	gateway.Exam(t, client, only...)
}

// Exam examines a client in situations of the exam: those that [Gateway.Situations] returns. Each is a parallel
// subtest; see [Situation.Take].
func (gateway *Gateway) Exam(t *testing.T, client ExamClient, only ...string) {
	t.Helper()
	situations, err := gateway.Situations(only...)
	if err != nil {
		t.Fatalf("oagw: %v", err)
	}
	for _, situation := range situations {
		situation := situation
		t.Run(situation.Name, func(t *testing.T) {
			t.Parallel()
			situation.Take(t, client)
		})
	}
}

// Situations returns the situations of the exam with these names or groups, or that match these patterns, such as
// "retry-*"; all of them, if there are none. What the variable OAGW_EXAM lists, with commas, is taken instead.
func (gateway *Gateway) Situations(only ...string) ([]Situation, error) {
	chosen := os.Getenv("OAGW_EXAM")
	if chosen == "" {
		chosen = strings.Join(only, ",")
	}
	var found struct{ Situations []Situation }
	err := gateway.Call("GET", "/exam?only="+url.QueryEscape(chosen), nil, &found)
	for at := range found.Situations {
		found.Situations[at].gateway = gateway
	}
	return found.Situations, err
}

// ExamTB is what a situation needs of a *testing.T.
type ExamTB interface {
	Helper()
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Take lets a client make the calls of the situation. The test fails with the evidence if the client did, or if the
// function panicked: report the errors of the client instead. It is skipped if the situation is not judged. A client
// that does not return in time is judged for it, and left alone.
func (situation Situation) Take(t ExamTB, client ExamClient) {
	t.Helper()
	judged, err := situation.take(client)
	switch {
	case err != nil:
		t.Fatalf("oagw: %s: %v", situation.Name, err)
	case judged.Verdict == "failed":
		t.Fatalf("oagw: %s: %s", situation.Name, judged.Explanation)
	case judged.Verdict == "not judged":
		t.Skipf("oagw: %s: not judged: %s", situation.Name, judged.Text)
	}
}

type judgement struct{ Verdict, Text, Explanation string }

func (situation Situation) take(client ExamClient) (judged judgement, err error) {
	path := "/exam/" + url.PathEscape(situation.Name)
	var examined examination
	if err := situation.gateway.Call("POST", path, nil, &examined); err != nil {
		return judged, err
	}
	reports, err := examined.reports(client)
	if err == nil {
		path += "/" + url.PathEscape(examined.ID)
		err = situation.gateway.Call("POST", path, JSON{"reports": reports}, &judged)
	}
	return judged, err
}

type examination struct {
	ID       string
	Deadline float64 // seconds after a call, when the client should long have returned
	AtOnce   bool    `json:"at_once"` // the calls are made in turn, or at once with so many seconds between them
	Stagger  float64
	Calls    []struct {
		ExamCall
		Timeout float64
	}
}

type report struct {
	call int
	said JSON
	err  error
}

// reports lets the client make the calls, and returns its reports in their order.
func (examined examination) reports(client ExamClient) ([]JSON, error) {
	reports := make([]JSON, len(examined.Calls))
	for at := range reports {
		reports[at] = JSON{"outcome": "none"}
	}
	came := make(chan report, len(reports)) // a late one is not waited for
	begin, count := time.Now(), 0
	for at, call := range examined.Calls {
		if examined.AtOnce {
			time.Sleep(time.Until(begin.Add(seconds(float64(at) * examined.Stagger))))
		}
		call.ExamCall.Timeout = seconds(call.Timeout)
		go reported(client, at, call.ExamCall, came)
		if examined.AtOnce && at+1 < len(reports) {
			continue
		}
		deadline := time.NewTimer(seconds(examined.Deadline))
		defer deadline.Stop()
		for count <= at {
			select {
			case one := <-came:
				if one.err != nil {
					return nil, one.err
				}
				reports[one.call] = one.said
				count++
			case <-deadline.C:
				return reports, nil
			}
		}
	}
	return reports, nil
}

// reported sends what the client reports, or an error if it panics or ends its goroutine.
func reported(client ExamClient, at int, call ExamCall, came chan<- report) {
	one := report{at, nil, errors.New("the function of the client ended its goroutine, as FailNow and SkipNow do")}
	defer func() {
		if wrong := recover(); wrong != nil {
			one.err = fmt.Errorf("the function of the client panicked: %v\n%s", wrong, debug.Stack())
		}
		came <- one
	}()
	one.said = client(call)
	one.err = nil
}

func seconds(count float64) time.Duration { return time.Duration(count * float64(time.Second)) }

// RequestsOf returns the requests that a stub answered, oldest first.
func (control *Control) RequestsOf(stub string) ([]Request, error) {
	var found struct{ Requests []struct{ Request Request } }
	err := control.Call("GET", "/requests?matchingStub="+url.QueryEscape(stub), nil, &found)
	requests := make([]Request, len(found.Requests))
	for at, one := range found.Requests { // the newest come first
		requests[len(requests)-1-at] = one.Request
	}
	return requests, err
}

// Check returns an error if a stub was not called, or a call was answered by the gateway's own 404.
func (control *Control) Check() error {
	report, err := control.Report()
	if err != nil {
		return err
	}
	var wrong []string
	for _, one := range report.Unused {
		if one.Kind == "stub" {
			wrong = append(wrong, fmt.Sprintf("\nunused stub %s %s: %s", one.Name, one.ID, one.Text))
		}
	}
	for _, one := range report.Unmatched {
		wrong = append(wrong, "\nunmatched: "+one.Text)
	}
	if wrong == nil {
		return nil
	}
	return errors.New("strict:" + cut(maxReport, strings.Join(wrong, "")))
}

// ReportCard returns what the gateway saw, as text for a failed test: calls that nothing matched and the nearest
// stubs, the report on the client, the last calls.
func (control *Control) ReportCard() string {
	text, err := control.ReportText()
	if err != nil {
		text = err.Error()
	}
	return "what the gateway saw:\n" + strings.TrimSpace(cut(maxReport, text))
}

func cut(limit int, text string) string {
	if letters := []rune(text); len(letters) > limit {
		return string(letters[:limit]) + "..."
	}
	return text
}
