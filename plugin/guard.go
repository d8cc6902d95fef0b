package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

// guard makes a panic that call's error, and every error one of the table. What the table lacks, and why a store is not
// available, is for the persister's own log, which has nothing of what the call was given.
func (s *server) guard(ctx context.Context, req any, call *grpc.UnaryServerInfo, next grpc.UnaryHandler) (reply any, err error) {
	ctx = receiveRequest(ctx)
	defer func() {
		if thrown := recover(); thrown != nil {
			s.log.ErrorContext(ctx, "a call panicked", "call", call.FullMethod,
				"type", fmt.Sprintf("%T", thrown), "panic", panicText(thrown), "stack", stack())
			st, _ := errorToWire(errFault)
			reply, err = nil, st.Err()
		}
	}()
	reply, err = next(ctx, req)
	if err == nil || !strings.HasPrefix(call.FullMethod, "/"+pb.Persister_ServiceDesc.ServiceName+"/") {
		return reply, err // go-plugin's own services speak for themselves
	}
	st, known := errorToWire(err)
	switch {
	case !known:
		s.log.ErrorContext(ctx, "a call failed", "call", call.FullMethod, "type", innermost(err), "error", without(req, err))
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrUnknownOutcome):
		s.log.WarnContext(ctx, "a call failed", "call", call.FullMethod, "type", innermost(err), "error", without(req, err))
	}
	return nil, st.Err()
}

// panicText is what may be logged of what was thrown: it may hold what a person typed, so only run-time errors are
// logged with their text.
func panicText(thrown any) string {
	if err, ok := thrown.(runtime.Error); ok {
		return err.Error()
	}
	return "withheld"
}

// maxFrames keeps a stack within what the host takes as one line.
const maxFrames = 24

// stack has the functions that led to a panic, the innermost first, without their arguments: those of a small type
// would stand there in clear.
func stack() string {
	counters := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(counters[:runtime.Callers(3, counters)]) // neither this nor who recovers
	var lines []string
	for {
		frame, more := frames.Next()
		lines = append(lines, frame.Function+" "+frame.File+":"+strconv.Itoa(frame.Line))
		if !more {
			return strings.Join(lines, "\n")
		}
	}
}

// innermost is the type of the error at the bottom of err: it tells what failed where the text cannot.
func innermost(err error) string {
	for {
		next := errors.Unwrap(err)
		if several, ok := err.(interface{ Unwrap() []error }); ok && len(several.Unwrap()) > 0 {
			next = several.Unwrap()[len(several.Unwrap())-1] // the cause follows the sentinel
		}
		if next == nil {
			return fmt.Sprintf("%T", err)
		}
		err = next
	}
}

// without returns an error's text without what people have entered: drivers put a value that they choke on into their
// errors. Names, ids and what the store says of itself stay.
func without(req any, err error) string {
	message, ok := req.(proto.Message)
	if !ok {
		return err.Error()
	}
	entered := enteredIn(message)
	slices.SortFunc(entered, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // none hides in a longer one
	var pairs []string
	for _, text := range entered {
		pairs = append(pairs, text, redacted)
		if quoted := strconv.Quote(text); quoted != `"`+text+`"` {
			pairs = append(pairs, quoted[1:len(quoted)-1], redacted)
		}
	}
	return strings.NewReplacer(pairs...).Replace(err.Error())
}

// leastEntered is how many bytes a text has at least that is taken out: shorter ones tell nothing and stand in any word.
const leastEntered = 3

// personal are the fields of the wire that hold what a person has entered, whatever message they stand in.
var personal = []protoreflect.Name{"password", "canonical", "value", "text", "reason"}

// enteredIn collects what people have entered from a request.
func enteredIn(message proto.Message) []string {
	var entered []string
	_ = protorange.Range(message.ProtoReflect(), func(at protopath.Values) error { // fails only where the function does
		field := at.Path.Index(-1).FieldDescriptor
		if at.Path.Index(-1).Kind() != protopath.FieldAccessStep || field().Kind() != protoreflect.StringKind || field().IsList() ||
			!slices.Contains(personal, field().Name()) {
			return nil
		}
		if text := at.Index(-1).Value.String(); len(text) >= leastEntered {
			entered = append(entered, text)
		}
		return nil
	})
	return entered
}
