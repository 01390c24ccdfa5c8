package oagw_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"sort"
	"strings"
	"testing"
	"time"

	"oagw.test/oagw"
)

const current = "GET weather/current"

func init() { oagw.Options = []string{"--clock", "manual"} }

// call is the client under test: it returns the answer and its body.
func call(t *testing.T, sandbox *oagw.Sandbox, path string) (*http.Response, string, error) {
	t.Helper()
	alias, path, _ := strings.Cut(path, "/")
	request, err := http.NewRequest("GET", sandbox.AliasURL(alias)+"/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+sandbox.Token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

func status(t *testing.T, sandbox *oagw.Sandbox, path string) int {
	t.Helper()
	answer, _, err := call(t, sandbox, path)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode
}

func equal[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func succeeds(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Fatalf("%q is not in:\n%s", part, text)
		}
	}
}

func TestAStubAnswersItsSandboxAloneAsOftenAsItWasAskedTo(t *testing.T) {
	t.Parallel()
	one, other := oagw.NewSandbox(t), oagw.NewSandbox(t)
	stub := one.Stub(current, oagw.Response{Status: 503, JSON: oagw.JSON{"busy": true}, Times: 1})

	answer, body, err := call(t, one, "weather/current?city=Oslo")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, answer.StatusCode, 503)
	equal(t, body, `{"busy":true}`)
	equal(t, answer.Header.Get("Content-Type"), "application/json")
	equal(t, status(t, one, "weather/current?city=Oslo"), 200)
	equal(t, status(t, other, "weather/current?city=Oslo"), 200)

	equal(t, one.Verify(current, oagw.Times(2)), 2)
	requests := one.Requests(current)
	equal(t, len(requests), 2)
	equal(t, requests[0].OAGW.Status, 503)
	equal(t, requests[1].OAGW.Status, 200)
	equal(t, requests[0].Headers.Get("user-agent"), "Go-http-client/1.1")
	equal(t, len(stub.Requests()), 1)
	equal(t, stub.Requests()[0].OAGW.Stub, stub.ID)
	equal(t, len(other.Requests()), 1)
}

func TestBodiesAndHeadersOfStubsAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	sandbox := oagw.NewSandbox(t)
	sandbox.Stub("GET a/bytes", oagw.Response{Body: "\x00\xff\x01", Headers: map[string]string{"X-One": "1"}})
	typed := map[string]string{"content-type": "application/vnd.a+json"}
	sandbox.Stub("GET a/typed", oagw.Response{JSON: []int{}, Headers: typed})
	sandbox.Stub("GET a/more", oagw.Response{More: oagw.JSON{"statusMessage": "Fine"}, Mapping: oagw.JSON{"name": "n"}})

	answer, body, _ := call(t, sandbox, "a/bytes")
	equal(t, body, "\x00\xff\x01")
	equal(t, answer.Header.Get("X-One"), "1")
	answer, _, _ = call(t, sandbox, "a/typed")
	equal(t, strings.Join(answer.Header.Values("Content-Type"), " "), "application/vnd.a+json")
	answer, _, _ = call(t, sandbox, "a/more")
	equal(t, answer.Status, "200 Fine")
}

func TestARemovedStubOrToxicDoesNotAct(t *testing.T) {
	t.Parallel()
	sandbox := oagw.NewSandbox(t)
	stub := sandbox.Stub(current, oagw.Response{Status: 500})
	toxic := sandbox.Toxic("limit_data", oagw.JSON{"bytes": 20}, oagw.On{Request: current})
	if _, _, err := call(t, sandbox, "weather/current?city=Oslo"); err == nil {
		t.Fatal("the answer was not cut")
	}
	for time := 0; time < 2; time++ {
		stub.Remove()
		toxic.Remove()
	}
	equal(t, status(t, sandbox, "weather/current?city=Oslo"), 200)
	// Go's client asks again when a connection that it reused ends without an answer.
	cut := sandbox.Requests()[0].OAGW
	equal(t, cut.Ended, "truncated")
	equal(t, cut.Toxics[0], toxic.Name)
}

func TestARequestStandsForAPattern(t *testing.T) {
	for request, pattern := range map[string]oagw.JSON{
		" get  stripe/v1/x ": {"method": "GET", "urlPath": "/api/oagw/v1/proxy/stripe/v1/x"},
		"ANY /health":        {"method": "ANY", "urlPath": "/health"},
		"GET /x?a={b}":       {"method": "GET", "url": "/x?a={b}"},
		"GET /x/{id}":        {"method": "GET", "urlPathTemplate": "/x/{id}"},
	} {
		equal(t, fmt.Sprint(oagw.Pattern(request, nil)), fmt.Sprint(pattern))
	}
	equal(t, fmt.Sprint(oagw.Pattern("GET /x", oagw.JSON{"headers": 1})), "map[headers:1 method:GET urlPath:/x]")
}

func TestARefusalSaysWhichCallWasRefusedWhereAndWhy(t *testing.T) {
	t.Parallel()
	control := oagw.NewSandbox(t).Control
	_, err := control.Stub("GET a/b", oagw.Response{More: oagw.JSON{"staus": 200}})
	var refused *oagw.Refused
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	equal(t, refused.Call, "POST /__admin/mappings")
	equal(t, refused.Status, 422)
	contains(t, err.Error(), "POST /__admin/mappings: 422 /response/staus: ", `did you mean "status"`)

	_, err = control.Toxic("laency", nil)
	contains(t, fmt.Sprint(err), "POST /__admin/toxics: 422 /type: ", `did you mean "latency"`)
	_, err = control.Verify("GET a/b", oagw.Times(-1))
	contains(t, fmt.Sprint(err), "POST /__admin/verify: 422 /times: ")
	_, err = control.Requests(oagw.JSON{"colour": "red"})
	contains(t, fmt.Sprint(err), "POST /__admin/requests/find: 422 /colour: ")
	_, err = control.Requests("/health")
	contains(t, fmt.Sprint(err), `such as "GET weather/current"`)
	_, err = control.Verify(current, oagw.After("/health"))
	contains(t, fmt.Sprint(err), `such as "GET weather/current"`)
}

func TestTheClockIsMovedWhenTheAnswerWaitsForIt(t *testing.T) {
	t.Parallel()
	sandbox := oagw.NewSandbox(t, oagw.Strict(), oagw.ExpiresAfter(time.Minute))
	sandbox.Stub("GET a/slow", oagw.Response{Delay: 30 * time.Second})
	for _, move := range []func(){func() { sandbox.AdvanceClock(30 * time.Second) }, sandbox.AdvanceClockUntilIdle} {
		got := make(chan int)
		go func() {
			answer, _, err := call(t, sandbox, "a/slow")
			if err != nil {
				t.Error(err)
				close(got)
				return
			}
			got <- answer.StatusCode
		}()
		sandbox.WaitPending(1)
		before, err := sandbox.Gateway.Clock()
		if err != nil {
			t.Fatal(err)
		}
		move()
		after, _ := sandbox.Gateway.Clock()
		equal(t, after.Now, before.Now+30)
		equal(t, <-got, 200)
	}
	slow := "GET a/slow"
	sandbox.Verify(slow, oagw.After(slow), oagw.NotLaterThan(time.Second), oagw.Within(time.Second))
	err := sandbox.Gateway.AdvanceClock(-1)
	contains(t, fmt.Sprint(err), "POST /__admin/clock/advance: 422 /seconds")
}

func TestTheReportHasWhatHadNoEffect(t *testing.T) {
	t.Parallel()
	sandbox := oagw.NewSandbox(t)
	stub := sandbox.Stub("GET a/b", oagw.Response{})
	report := sandbox.Report(oagw.RetryDue)
	equal(t, report.Requests, 0)
	equal(t, len(report.Findings), 0)
	equal(t, report.Unused[0].ID, stub.ID)
	text, err := sandbox.Control.ReportText()
	equal(t, err == nil, true)
	contains(t, text, "0 requests, 0 findings\n", "unused stub GET a/b")
	equal(t, sandbox.Control.Check() != nil, true)
	equal(t, sandbox.Control.Reset() == nil, true)
	equal(t, sandbox.Control.Check() == nil, true)
}

// fake is a test that can fail without failing this one.
type fake struct {
	testing.TB
	failed  bool
	skipped bool
	said    string
	cleanup func()
}

func (t *fake) Helper()          {}
func (t *fake) Failed() bool     { return t.failed }
func (t *fake) Cleanup(f func()) { t.cleanup = f }

func (t *fake) Logf(format string, args ...any) { t.said += fmt.Sprintf(format, args...) + "\n" }
func (t *fake) Errorf(format string, args ...any) {
	t.failed = true
	t.Logf(format, args...)
}

func (t *fake) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// run runs a test function as the testing package does, and returns what it logged.
func run(t *testing.T, test func(fake *fake)) *fake {
	t.Helper()
	one := &fake{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(one)
	}()
	<-done
	if one.cleanup != nil {
		one.cleanup()
	}
	return one
}

func TestAFailedTestSaysWhatTheGatewaySaw(t *testing.T) {
	t.Parallel()
	var id string
	failed := run(t, func(fake *fake) {
		sandbox := oagw.NewSandbox(fake)
		id = sandbox.Control.ID
		sandbox.Stub("GET stripe/v1/charges", oagw.Response{})
		equal(t, status(t, sandbox, "stripe/v1/chargez"), 404)
		sandbox.Verify("GET stripe/v1/charges")
		t.Error("the verification did not fail")
	})
	equal(t, failed.failed, true)
	contains(t, failed.said, "Expected at least 1 request, but there were none:", "what the gateway saw:\n1 request",
		`The nearest stub is GET [path] /api/oagw/v1/proxy/stripe/v1/charges "GET stripe/v1/charges"`,
		"/stripe/v1/chargez -> 404 from the gateway\n")
	gateway, err := oagw.Shared()
	if err != nil {
		t.Fatal(err)
	}
	contains(t, fmt.Sprint(gateway.Call("GET", "/sandboxes/"+id, nil, nil)), "404 No such sandbox")
}

func TestATestThatPassesSaysNothing(t *testing.T) {
	t.Parallel()
	passed := run(t, func(fake *fake) { oagw.NewSandbox(fake).Stub("GET a/b", oagw.Response{}) })
	equal(t, passed.failed, false)
	equal(t, passed.said, "")
}

func TestAStrictTestFailsForAnUnusedStubAndAnUnmatchedCall(t *testing.T) {
	t.Parallel()
	strict := run(t, func(fake *fake) {
		sandbox := oagw.NewSandbox(fake, oagw.Strict())
		sandbox.Stub("GET a/b", oagw.Response{})
		equal(t, status(t, sandbox, "a/c"), 404)
	})
	equal(t, strict.failed, true)
	contains(t, strict.said, "strict:\nunused stub GET a/b ", "\nunmatched: GET /api/oagw/v1/proxy/a/c -> 404 from",
		"what the gateway saw:\n1 request")
}

var limit = oagw.JSON{"sustained": oagw.JSON{"rate": 2, "window": "minute"}}

// route is a route as the management API shows it.
type route struct {
	ID       string
	Match    struct{ HTTP oagw.JSON }
	Priority int
}

func routes(t *testing.T, control *oagw.Control) (found []route) {
	t.Helper()
	succeeds(t, control.Manage("GET", "/routes", nil, &found))
	sort.Slice(found, func(one, other int) bool { return found[one].Priority < found[other].Priority })
	return found
}

func TestAnUpstreamHasItsPoliciesARouteForItsPathAndMoreRoutes(t *testing.T) {
	t.Parallel()
	sandbox := oagw.NewSandbox(t)
	options := oagw.UpstreamOptions{Query: []string{"limit"}, RateLimit: limit, Tags: []string{"a"}}
	upstream := sandbox.Upstream("Payments", "http://localhost:9000/v1/", options)
	equal(t, upstream.Alias, "payments")
	equal(t, upstream.URL, sandbox.AliasURL("payments")+"/v1")
	var found oagw.JSON
	succeeds(t, sandbox.Control.Manage("GET", "/upstreams/"+upstream.ID, nil, &found))
	equal(t, fmt.Sprint(found["server"]), "map[endpoints:[map[host:127.0.0.1 port:9000 scheme:http]]]")
	equal(t, fmt.Sprint(found["rate_limit"].(oagw.JSON)["sustained"]), fmt.Sprint(limit["sustained"]))
	equal(t, fmt.Sprint(found["tags"], found["enabled"]), "[a] true")

	second := oagw.RouteOptions{Path: "/v2", Methods: []string{"GET"}, Priority: 3, PathSuffixMode: "disabled"}
	made := sandbox.Route(upstream, second)
	both := routes(t, sandbox.Control)
	equal(t, len(both), 2)
	equal(t, fmt.Sprint(both[0].Match.HTTP),
		"map[methods:[GET POST PUT DELETE PATCH] path:/v1 path_suffix_mode:append query_allowlist:[limit]]")
	equal(t, fmt.Sprint(both[1].Match.HTTP),
		"map[methods:[GET] path:/v2 path_suffix_mode:disabled query_allowlist:[]]")
	equal(t, both[1].ID, made.ID)
	for time := 0; time < 2; time++ {
		succeeds(t, made.Remove())
	}
	equal(t, len(routes(t, sandbox.Control)), 1)
}

func TestTheAliasOfAHostnameIsDerived(t *testing.T) {
	t.Parallel()
	sandbox := oagw.NewSandbox(t)
	upstream := sandbox.Upstream("", "https://api.vendor.example", oagw.UpstreamOptions{NoRoute: true, Disabled: true})
	equal(t, upstream.Alias, "api.vendor.example")
	equal(t, len(routes(t, sandbox.Control)), 0)
	_, err := sandbox.Control.Upstream("vendor", "https://vendor.example")
	contains(t, fmt.Sprint(err), "400 alias is auto-derived", "(derived: 'vendor.example')")
}

func TestARefusalOfTheGatewayHasItsTextAndLeavesNothing(t *testing.T) {
	t.Parallel()
	sandbox := oagw.NewSandbox(t)
	_, err := sandbox.Control.Upstream("", "http://127.0.0.1:9000")
	var refused *oagw.Refused
	equal(t, errors.As(err, &refused), true)
	equal(t, refused.Call, "POST /api/oagw/v1/upstreams")
	equal(t, refused.Status, 400)
	equal(t, refused.Text, "explicit alias is required for IP-based or heterogeneous-host endpoints")
	_, err = sandbox.Control.Upstream("lab", "http://127.0.0.1:9000", oagw.UpstreamOptions{Methods: []string{"HEAD"}})
	contains(t, fmt.Sprint(err), "422 /match/http/methods/0")
	var found []oagw.JSON
	succeeds(t, sandbox.Control.Manage("GET", "/upstreams", nil, &found))
	equal(t, len(found), 0)
	for _, wrong := range []string{"", "127.0.0.1:9000", "http://", "http://a?b=c", "http://me:hidden@a", "http://a:b"} {
		_, err := sandbox.Control.Upstream("lab", wrong)
		contains(t, fmt.Sprint(err), "not the base URL of an upstream")
		equal(t, strings.Contains(fmt.Sprint(err), "hidden"), false)
	}
	failed := run(t, func(fake *fake) { oagw.NewSandbox(fake).Upstream("", "http://127.0.0.1:9000") })
	contains(t, failed.said, "oagw: POST /api/oagw/v1/upstreams: 400 explicit alias is required")
}

func TestAnUpstreamOfAGatewayIsRemovedAfterItsTest(t *testing.T) {
	t.Parallel()
	gateway, err := oagw.Shared()
	if err != nil {
		t.Fatal(err)
	}
	var id string
	run(t, func(fake *fake) {
		id = gateway.NewUpstream(fake, "lab", "http://localhost:9000").ID
		succeeds(t, gateway.Manage("GET", "/upstreams/"+id, nil, nil))
	})
	contains(t, fmt.Sprint(gateway.Manage("GET", "/upstreams/"+id, nil, nil)), "404 upstream not found: ")
}

func TestAClientIsLimitedAndTimeIsMovedByHand(t *testing.T) {
	sandbox := oagw.NewSandbox(t) // not in parallel: all sandboxes share the clock
	secret := sandbox.Secret("key", "s3cret")
	upstream := sandbox.Upstream("", "http://echo.test/v1", oagw.UpstreamOptions{
		RateLimit: limit,
		Auth: oagw.JSON{
			"type":   "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1",
			"config": oagw.JSON{"header": "x-api-key", "secret_ref": secret.Ref},
		},
	})
	equal(t, upstream.URL, sandbox.AliasURL("echo.test/v1"))
	_, body, err := call(t, sandbox, "echo.test/v1/x")
	succeeds(t, err)
	contains(t, body, `"path":"/v1/x"`, `["x-api-key","s3cret"]`)
	equal(t, status(t, sandbox, "echo.test/v1/x"), 200)
	equal(t, status(t, sandbox, "echo.test/v1/x"), 429)
	sandbox.AdvanceClock(30 * time.Second)
	equal(t, status(t, sandbox, "echo.test/v1/x"), 200)
	for time := 0; time < 2; time++ {
		succeeds(t, secret.Remove())
	}
	sandbox.Secret("key", "other", "shared")
	_, err = sandbox.Control.Secret("key", "hidden")
	contains(t, fmt.Sprint(err), "409 secret already exists: key")
}

func TestEachTenantOfASandboxHasAToken(t *testing.T) {
	t.Parallel()
	sandbox := oagw.NewSandbox(t, oagw.Tenants(map[string]string{"root": "", "child": "root"}))
	tenants := sandbox.Control.Tenants
	equal(t, len(tenants), 2)
	equal(t, tenants["root"].Token, sandbox.Token)
	child := *sandbox.Control
	child.Token = tenants["child"].Token
	_, err := child.Upstream("lab", "http://localhost:9000")
	succeeds(t, err)
	equal(t, len(routes(t, sandbox.Control)), 0)
	equal(t, len(routes(t, &child)), 1)
}

func TestAStubThatCannotActIsWarnedOf(t *testing.T) {
	t.Parallel()
	warned := run(t, func(fake *fake) { oagw.NewSandbox(fake).Stub("GET /weather/current", oagw.Response{}) })
	equal(t, warned.failed, false)
	contains(t, warned.said, "oagw: warning: stub ", `did you mean "/api/oagw/v1/proxy/weather/current"`)
}

func TestAGatewayIsConnectedToByItsURLAndLeftAlone(t *testing.T) {
	gateway, err := oagw.Shared()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("OAGW_URL", gateway.URL+"/")
	same, err := oagw.Start("--ignored")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, same.URL, gateway.URL)
	same.Close()
	sandbox, err := same.OpenSandbox()
	if err != nil {
		t.Fatal(err)
	}
	if err := same.DeleteSandbox(sandbox); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "127.0.0.1:1", "https://a", "http://a/b", "http://user:secret@a"} {
		_, err := oagw.Connect(wrong)
		contains(t, fmt.Sprint(err), "not the URL of a gateway")
		equal(t, strings.Contains(fmt.Sprint(err), "secret"), false)
	}
}

func TestAServerThatDoesNotStartOrEndsHasLastWords(t *testing.T) {
	if os.Getenv("OAGW_URL") != "" {
		t.Skip("OAGW_URL names a server, so none is started")
	}
	_, err := oagw.Start("--colour", "red")
	contains(t, fmt.Sprint(err), "the gateway did not start (", "): EOF\n", "arguments: --colour")

	short, err := oagw.Start()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := short.Clock(); err != nil {
		t.Fatal(err)
	}
	short.Close()
	short.Close()
	_, err = short.OpenSandbox()
	contains(t, fmt.Sprint(err), "/__admin/sandboxes", "the gateway said: ", "listens on")
}
