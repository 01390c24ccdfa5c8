// From the start of a server to the end of a first test, for benchmarks/: exits with 0 if all of it works.
package main

import (
	"fmt"
	"net/http"

	"oagw.test/oagw"
)

func main() {
	gateway, err := oagw.Start()
	check(err)
	defer gateway.Close()
	sandbox, err := gateway.OpenSandbox()
	check(err)
	_, err = sandbox.Stub("GET stripe/v1/charges/{id}", oagw.Response{JSON: oagw.JSON{"id": "ch_1"}})
	check(err)
	request, err := http.NewRequest("GET", sandbox.AliasURL("stripe")+"/v1/charges/ch_1", nil)
	check(err)
	request.Header.Set("Authorization", "Bearer "+sandbox.Token)
	answer, err := http.DefaultClient.Do(request)
	check(err)
	answer.Body.Close()
	if answer.StatusCode != 200 {
		panic(answer.Status)
	}
	_, err = sandbox.Verify("GET stripe/v1/charges/ch_1", oagw.Times(1))
	check(err)
	check(gateway.DeleteSandbox(sandbox))
	fmt.Println("ok")
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
