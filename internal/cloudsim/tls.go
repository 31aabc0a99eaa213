package cloudsim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// authority is a Sim's own certificate authority. Its certificates are valid from 1990 to 2099, so that tests may put
// their clock where they like (a synctest bubble begins in 2000).
type authority struct {
	key    *ecdsa.PrivateKey
	cert   *x509.Certificate
	serial atomic.Int64

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

func newAuthority() *authority {
	a := &authority{leaves: map[string]*tls.Certificate{}}
	template := a.template("Transship embedded clouds CA")
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	a.key = newKey()
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		panic(fmt.Sprintf("cloudsim: cannot sign our own CA certificate: %v", err)) // nothing outside can cause this
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		panic(fmt.Sprintf("cloudsim: cannot read our own CA certificate: %v", err))
	}
	return a
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(fmt.Sprintf("cloudsim: cannot make a key: %v", err)) // crypto/rand does not fail
	}
	return key
}

func (a *authority) template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial.Add(1)),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2099, 12, 31, 0, 0, 0, 0, time.UTC),
	}
}

// leaf returns the certificate for name, made on first use.
func (a *authority) leaf(name string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.leaves[name]; ok {
		return c, nil
	}
	commonName := name
	if len(commonName) > 64 { // X.509's bound; the name that clients check is the DNS name below
		commonName = commonName[:64]
	}
	template := a.template(commonName)
	template.DNSNames = []string{name}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	key := newKey()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("cloudsim: certificate for %s: %w", name, err)
	}
	c := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	a.leaves[name] = c
	return c, nil
}

// certificate answers a handshake for a registered name, and refuses any other.
func (s *Sim) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := hostOnly(hello.ServerName)
	if _, ok := s.names.lookup(name); !ok {
		return nil, fmt.Errorf("cloudsim: no embedded cloud answers for the server name %q", name)
	}
	return s.ca.leaf(name)
}

// greet is where a connection's host becomes known: it sets the pace of the connection, and chooses its configuration.
func (s *Sim) greet(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if rate := s.bandwidth(hostOnly(hello.ServerName)); rate > 0 {
		if conn, ok := hello.Conn.(interface{ pace(rate int64) }); ok {
			conn.pace(rate)
		}
	}
	return s.http1Config(hello)
}

// bandwidth is how many bytes per second each connection to host carries; 0 is no bound.
func (s *Sim) bandwidth(host string) int64 {
	least := int64(0)
	for glob, rate := range s.opts.HostBandwidth {
		glob = strings.ToLower(glob)
		if glob == host {
			return rate
		}
		if ok, _ := path.Match(glob, host); ok && (least == 0 || rate < least) {
			least = rate
		}
	}
	return least
}

// http1Config leaves HTTP/2 out of the offer of the hosts that shall not have it; nil is the ordinary configuration.
func (s *Sim) http1Config(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	name := hostOnly(hello.ServerName)
	for _, glob := range s.opts.HTTP1Hosts {
		if ok, _ := path.Match(strings.ToLower(glob), name); ok {
			return &tls.Config{
				MinVersion: tls.VersionTLS12, GetCertificate: s.certificate, NextProtos: []string{"http/1.1"},
			}, nil
		}
	}
	return nil, nil
}

// CertPool returns a pool that holds the Sim's certificate authority and nothing else.
func (s *Sim) CertPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.ca.cert)
	return pool
}

// CAPEM returns the certificate of the Sim's authority in PEM, for SSL_CERT_FILE, AWS_CA_BUNDLE and their like.
func (s *Sim) CAPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.ca.cert.Raw})
}
