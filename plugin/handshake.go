package plugin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// The cookie tells a persister that a host has started it, so that it can explain itself to a person who has. It keeps
// nobody out: mutual TLS does.
const (
	cookieName  = "PLUGIN_CONTRACT"
	cookieValue = "narthex-persister"
)

// serviceName is what go-plugin calls the one service.
const serviceName = "persister"

func handshakeConfig() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{
		ProtocolVersion: ContractVersion, MagicCookieKey: cookieName, MagicCookieValue: cookieValue,
	}
}

// connection is the go-plugin side of both ends. The server registers its service itself, and the client wants nothing
// but the connection.
type connection struct {
	goplugin.NetRPCUnsupportedPlugin
}

// GRPCServer has nothing left to do.
func (connection) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

// GRPCClient returns the connection.
func (connection) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

func pluginSets() map[int]goplugin.PluginSet {
	return map[int]goplugin.PluginSet{ContractVersion: {serviceName: connection{}}}
}

// errVersion is the error of a persister that speaks another version of the contract.
func errVersion(theirs string) error {
	return fmt.Errorf("the persister speaks version %.20s of the contract, this host version %d: use a persister built for this version", theirs, ContractVersion)
}

// errNoHandshake is the error of a program that is no persister.
var errNoHandshake = errors.New("it does not begin with a handshake: is this program a persister?")

// handshakeLine is core version, contract version, network, address, protocol and certificate.
var handshakeLine = regexp.MustCompile(`^[0-9]{1,4}\|`)

// checkHandshake refuses a handshake that the host could not, or must not, follow. The library's own errors for these
// are hard to read, and it would connect to any address that it is told.
func checkHandshake(line, socketDir string) error {
	parts := strings.Split(strings.TrimSpace(line), "|")
	switch {
	case len(parts) < 6 || parts[0] != fmt.Sprint(goplugin.CoreProtocolVersion):
		return fmt.Errorf("its handshake is not one of go-plugin's protocol %d with a certificate", goplugin.CoreProtocolVersion)
	case parts[1] != fmt.Sprint(ContractVersion):
		return errVersion(parts[1])
	case parts[4] != string(goplugin.ProtocolGRPC):
		return fmt.Errorf("it speaks %.20q and not %q", parts[4], goplugin.ProtocolGRPC)
	case parts[2] != "unix" || filepath.Dir(filepath.Clean(parts[3])) != filepath.Clean(socketDir):
		return errors.New("it does not listen in the directory it was given (PLUGIN_UNIX_SOCKET_DIR)")
	}
	return nil
}
