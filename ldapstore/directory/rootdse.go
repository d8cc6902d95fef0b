package directory

import (
	"context"
	"slices"
	"strings"
)

const activeDirectoryCapability = "1.2.840.113556.1.4.800"

// readServer reads the rootDSE (RFC 4512, section 5.1).
func readServer(ctx context.Context, r requests) (Server, error) {
	root, err := r.Read(ctx, "", "objectClass", "structuralObjectClass", "namingContexts", "subschemaSubentry", "vendorName",
		"supportedControl", "supportedExtension", "supportedFeatures", "supportedCapabilities")
	if err != nil {
		return Server{}, err
	}
	has := func(attribute, value string) bool {
		return slices.ContainsFunc(root.Values(attribute), func(v string) bool { return strings.EqualFold(v, value) })
	}
	server := Server{
		Kind:           kindOf(root, has),
		Subschema:      DN(root.Value("subschemaSubentry")),
		StartTLS:       has("supportedExtension", startTLSName),
		PasswordModify: has("supportedExtension", passwordModifyName),
		Assertion:      has("supportedControl", assertionControl),
		PreRead:        has("supportedControl", preReadControl),
		Increment:      has("supportedFeatures", incrementFeature),
		PasswordPolicy: has("supportedControl", passwordPolicyControl),
		Paging:         has("supportedControl", pagedResultsControl),
	}
	for _, context := range root.Values("namingContexts") {
		server.NamingContexts = append(server.NamingContexts, DN(context))
	}
	return server, nil
}

// kindOf recognises what is known; anything else is treated like OpenLDAP, the server that keeps closest to the RFCs.
func kindOf(root Entry, has func(attribute, value string) bool) Kind {
	switch {
	case has("supportedCapabilities", activeDirectoryCapability):
		return ActiveDirectory
	case strings.Contains(root.Value("vendorName"), "389 Project"):
		return DS389
	default:
		return OpenLDAP
	}
}
