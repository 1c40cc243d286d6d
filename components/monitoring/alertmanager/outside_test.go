package alertmanager_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// outside is who is told: a server for HTTP and one for mail, each with a certificate that only the platform's bundle
// verifies.
type outside struct {
	t        *testing.T
	http     *httptest.Server
	mailPort int

	mutex sync.Mutex
	posts map[string][]message // by path
	mails []mail
}

// message is the body of a request.
type message map[string]any

// mail is one that was accepted, and who sent it.
type mail struct{ username, password, recipients, content string }

func newOutside(t *testing.T, ca verify.CA) *outside {
	t.Helper()
	o := &outside{t: t, posts: map[string][]message{}}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	certificate, private, err := ca.Sign(&x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key)
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(certificate, private)
	require.NoError(t, err)
	settings := &tls.Config{Certificates: []tls.Certificate{pair}}

	o.http = httptest.NewUnstartedServer(http.HandlerFunc(o.receive))
	o.http.TLS = settings
	o.http.StartTLS()
	t.Cleanup(o.http.Close)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, listener.Close()) })
	o.mailPort = listener.Addr().(*net.TCPAddr).Port
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go o.talk(conn, settings)
		}
	}()
	return o
}

// port is that of the server for HTTP.
func (o *outside) port() int {
	o.t.Helper()
	u, err := url.Parse(o.http.URL)
	require.NoError(o.t, err)
	port, err := strconv.Atoi(u.Port())
	require.NoError(o.t, err)
	return port
}

// receive accepts as Slack does, and PagerDuty, and whoever else.
func (o *outside) receive(w http.ResponseWriter, r *http.Request) {
	content := message{}
	if err := json.NewDecoder(r.Body).Decode(&content); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	o.mutex.Lock()
	o.posts[r.URL.Path] = append(o.posts[r.URL.Path], content)
	o.mutex.Unlock()
	if strings.HasPrefix(r.URL.Path, "/pagerduty") {
		w.WriteHeader(http.StatusAccepted)
	}
	_, _ = io.WriteString(w, "ok") // if it fails the client says so
}

// at are the messages that came to a path.
func (o *outside) at(path string) []message {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return append([]message{}, o.posts[path]...)
}

// received are the mails.
func (o *outside) received() []mail {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return append([]mail{}, o.mails...)
}

// talk is the mail server's side of a conversation. It takes no mail before TLS and a login.
func (o *outside) talk(conn net.Conn, settings *tls.Config) {
	defer func() { _ = conn.Close() }() // may be closed already
	in, secure, m := bufio.NewReader(conn), false, mail{}
	say := func(text string) { _, _ = fmt.Fprintf(conn, "%s\r\n", text) } // if it fails reading does
	say("220 mail")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			if secure {
				say("250-mail")
				say("250 AUTH PLAIN")
			} else {
				say("250-mail")
				say("250 STARTTLS")
			}
		case "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, settings)
			in, secure = bufio.NewReader(conn), true
		case "AUTH":
			decoded, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			parts := strings.Split(string(decoded), "\x00")
			if !secure || err != nil || len(parts) != 3 {
				say("535 no")
				return
			}
			m.username, m.password = parts[1], parts[2]
			say("235 welcome")
		case "MAIL":
			say("250 ok")
		case "RCPT":
			m.recipients += rest + "\n"
			say("250 ok")
		case "DATA":
			say("354 go on")
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				m.content += line
			}
			o.mutex.Lock()
			o.mails = append(o.mails, m)
			o.mutex.Unlock()
			say("250 ok")
		default:
			say("221 bye")
			return
		}
	}
}
