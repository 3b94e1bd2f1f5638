package apitest_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// people are those whom the real provider knows, by user name.
type people map[string]*storage.User

func (p people) GetUserByID(id string) *storage.User         { return p[id] }
func (p people) GetUserByUsername(name string) *storage.User { return p[name] }
func (people) ExampleClientID() string                       { return "service" }

// realProvider is an OpenID provider that is somebody else's work, with a page to sign in. It opens when it is told where the one
// program that it knows wants people back.
func realProvider(t *testing.T, known people) (issuer string, open func(callback string)) {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	issuer = "http://" + ln.Addr().String()
	return issuer, func(callback string) {
		clients := map[string]*storage.Client{"commons": storage.WebClient("commons", "secret", callback)}
		server := &http.Server{Handler: exampleop.SetupServer(issuer, storage.NewStorageWithClients(known, clients), nil, false), ReadHeaderTimeout: 10 * time.Second}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = server.Serve(ln)
		}()
		t.Cleanup(func() {
			_ = server.Close()
			<-done
		})
	}
}
