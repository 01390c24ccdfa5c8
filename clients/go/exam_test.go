package oagw_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"oagw.test/oagw"
)

// examined makes calls with net/http. It retries once what is busy, after the seconds of Retry-After. With isEager, it
// also retries what will not get better, which is its fault.
func examined(isEager bool) oagw.ExamClient {
	ask := func(call oagw.ExamCall) (*http.Response, error) {
		var body io.Reader
		if call.Body != nil {
			text, _ := json.Marshal(call.Body)
			body = bytes.NewReader(text)
		}
		request, err := http.NewRequest(call.Method, call.URL, body)
		if err != nil {
			return nil, err
		}
		for name, value := range call.Headers {
			request.Header.Set(name, value)
		}
		request.Header.Set("Authorization", "Bearer "+call.Token)
		client := http.Client{Timeout: call.Timeout}
		return client.Do(request)
	}
	return func(call oagw.ExamCall) oagw.JSON {
		if call.Kind != "call" {
			return oagw.JSON{"outcome": "unsupported"}
		}
		answer, err := ask(call)
		if err == nil && (answer.StatusCode == 429 || isEager && answer.StatusCode == 400) {
			answer.Body.Close()
			wait, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			time.Sleep(time.Duration(wait) * time.Second)
			answer, err = ask(call)
		}
		if err != nil {
			return oagw.JSON{"outcome": "error", "error": fmt.Sprintf("%T", err)}
		}
		defer answer.Body.Close()
		if answer.StatusCode >= 300 {
			return oagw.JSON{"outcome": "error", "error": "status", "status": answer.StatusCode}
		}
		var value any
		if err := json.NewDecoder(answer.Body).Decode(&value); err != nil {
			return oagw.JSON{"outcome": "error", "error": fmt.Sprintf("%T", err)}
		}
		return oagw.JSON{"outcome": "value", "value": value}
	}
}

// withRealClock returns a gateway for exams: the one that the other tests share has a manual clock.
func withRealClock(t *testing.T) *oagw.Gateway {
	t.Helper()
	gateway, err := oagw.Start()
	succeeds(t, err)
	t.Cleanup(gateway.Close)
	return gateway
}

func (t *fake) Skipf(format string, args ...any) {
	t.skipped = true
	t.Logf(format, args...)
	runtime.Goexit()
}

// take takes the situation with this name in a test that can fail.
func take(t *testing.T, gateway *oagw.Gateway, name string, client oagw.ExamClient) *fake {
	t.Helper()
	situations, err := gateway.Situations(name)
	succeeds(t, err)
	equal(t, len(situations), 1)
	equal(t, situations[0].Name, name)
	return run(t, func(fake *fake) { situations[0].Take(fake, client) })
}

func TestAClientIsExamined(t *testing.T) {
	gateway := withRealClock(t)
	var turn sync.Mutex
	var seen []string
	client := examined(false)
	t.Run("all", func(t *testing.T) {
		gateway.Exam(t, func(call oagw.ExamCall) oagw.JSON {
			turn.Lock()
			seen = append(seen, call.ID)
			turn.Unlock()
			return client(call)
		}, "retry-after-seconds", "not-retried-40*", "redirect-303", "reuse", "cut-inside-event")
	})
	equal(t, len(seen), 10) // of 8 situations

	failed := take(t, gateway, "not-retried-400", examined(true))
	equal(t, failed.failed, true)
	contains(t, failed.said, "oagw: not-retried-400: The client ", " 2 requests", "What happens: Every answer to the POST",
		"What a correct client does: ", "POST /v1/chat/completions -> 400", " <-- evidence",
		`The client reported: {"outcome": "error", "error": "status", "status": 400}`)
	skipped := take(t, gateway, "cut-inside-event", client)
	equal(t, skipped.failed, false)
	equal(t, skipped.skipped, true)
	equal(t, skipped.said, "oagw: cut-inside-event: not judged: The client does not support this.\n")
	passed := take(t, gateway, "not-retried-403", client)
	equal(t, fmt.Sprint(passed.failed, passed.skipped), "false false")
	equal(t, passed.said, "")
}

func TestWhatTheFunctionDoesWrongFailsTheTest(t *testing.T) {
	gateway := withRealClock(t)
	for part, client := range map[string]oagw.ExamClient{
		"the function of the client panicked: no luck\ngoroutine ": func(oagw.ExamCall) oagw.JSON { panic("no luck") },
		"ended its goroutine, as FailNow":                          func(oagw.ExamCall) oagw.JSON { runtime.Goexit(); return nil },
		`422 /reports/0: The outcome "value" needs the member "value"`: func(oagw.ExamCall) oagw.JSON {
			return oagw.JSON{"outcome": "value"}
		},
		"unsupported type: chan": func(oagw.ExamCall) oagw.JSON {
			return oagw.JSON{"outcome": "value", "value": make(chan int)}
		},
	} {
		failed := take(t, gateway, "not-retried-400", client)
		equal(t, failed.failed, true)
		contains(t, failed.said, "oagw: not-retried-400: ", part)
	}
}

func TestSituationsAreSelected(t *testing.T) {
	gateway, err := oagw.Shared()
	succeeds(t, err)
	all, err := gateway.Situations()
	succeeds(t, err)
	pages, err := gateway.Situations("pages", "pages-loop")
	succeeds(t, err)
	equal(t, len(all) > 100 && len(pages) > 5 && len(pages) < 30, true)
	equal(t, pages[0].Group+" "+pages[0].Kind, "pages pages")
	_, err = gateway.Situations("pages-lop")
	contains(t, fmt.Sprint(err), `404 only: there is no situation or group "pages-lop", did you mean "pages-loop"?`)
	t.Setenv("OAGW_EXAM", "token-sent,reuse")
	chosen, err := gateway.Situations("pages")
	succeeds(t, err)
	equal(t, chosen[0].Name+" "+chosen[1].Name, "token-sent reuse")
	if os.Getenv("OAGW_URL") == "" { // with the manual clock of these tests
		refused := run(t, func(fake *fake) { chosen[0].Take(fake, examined(false)) })
		contains(t, refused.said, "oagw: token-sent: POST /__admin/exam/token-sent: 409 The exam measures time;")
	}
}

// reportsOf returns the reports of a client on an examination, and when each call was made.
func reportsOf(t *testing.T, examination string, client func(number string) oagw.JSON) (string, []time.Duration) {
	t.Helper()
	var reports string
	plane := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		switch {
		case request.Method == "GET":
			io.WriteString(answer, `{"situations": [{"name": "a"}]}`)
		case strings.HasSuffix(request.URL.Path, "/a"):
			io.WriteString(answer, examination)
		default:
			text, _ := io.ReadAll(request.Body)
			reports = string(text)
			io.WriteString(answer, `{"verdict": "passed"}`)
		}
	}))
	defer plane.Close()
	gateway, err := oagw.Connect(plane.URL)
	succeeds(t, err)
	var turn sync.Mutex
	var times []time.Duration
	begin := time.Now()
	take(t, gateway, "a", func(call oagw.ExamCall) oagw.JSON {
		turn.Lock()
		times = append(times, time.Since(begin))
		turn.Unlock()
		return client(call.ID)
	})
	turn.Lock()
	defer turn.Unlock()
	return reports, times
}

const three = `{"id": "x", "deadline": 0.3, "at_once": %v, "stagger": 0.1,
	"calls": [{"id": "1", "timeout": 1}, {"id": "2", "timeout": 1}, {"id": "3", "timeout": 1}]}`

func TestAClientThatDoesNotReturnIsJudgedForIt(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	client := func(id string) oagw.JSON {
		if id == "2" {
			<-never
		}
		return oagw.JSON{"outcome": "text", "text": id}
	}
	reports, times := reportsOf(t, fmt.Sprintf(three, false), client)
	equal(t, reports, `{"reports":[{"outcome":"text","text":"1"},{"outcome":"none"},{"outcome":"none"}]}`)
	equal(t, len(times), 2)

	reports, times = reportsOf(t, fmt.Sprintf(three, true), client)
	equal(t, reports, `{"reports":[{"outcome":"text","text":"1"},{"outcome":"none"},{"outcome":"text","text":"3"}]}`)
	equal(t, times[1] >= 100*time.Millisecond && times[2] >= 200*time.Millisecond, true)
	close(never)
}

func TestCallsAreMadeInTurnOrAtOnce(t *testing.T) {
	t.Parallel()
	var turn sync.Mutex
	running, most := 0, 0
	client := func(id string) oagw.JSON {
		count := func(change int) {
			turn.Lock()
			defer turn.Unlock()
			running += change
			if running > most {
				most = running
			}
		}
		count(1)
		defer count(-1)
		time.Sleep(250 * time.Millisecond)
		return oagw.JSON{"outcome": "text", "text": id}
	}
	all := `{"reports":[{"outcome":"text","text":"1"},{"outcome":"text","text":"2"},{"outcome":"text","text":"3"}]}`
	for atOnce, together := range map[bool]int{false: 1, true: 3} {
		most = 0
		reports, _ := reportsOf(t, fmt.Sprintf(strings.Replace(three, "0.3", "9", 1), atOnce), client)
		equal(t, reports, all)
		equal(t, most, together)
	}
}
