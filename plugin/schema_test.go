package plugin_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/narthex/narthex/plugin"
)

func TestAStoreWithoutASchemaIsAnsweredFor(t *testing.T) {
	store := &bare{description: plugin.Description{
		ValueTypes: []plugin.ValueType{plugin.TypeInteger}, Limits: plugin.Limits{MaxValueBytes: 100, MaxAttributes: 3, MaxKeys: 2, MaxPasswordBytes: 72},
	}}
	use := func(attribute string, t plugin.ValueType) plugin.AttributeUse {
		return plugin.AttributeUse{Item: attribute, Flow: "standard", Step: "about-you", Attribute: attribute, Type: t}
	}
	check := func(t *testing.T, uses ...plugin.AttributeUse) plugin.SchemaReport {
		t.Helper()
		report, err := overWire(t, store).SchemaChecker.CheckSchema(t.Context(), uses)
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	encoded := use("born", plugin.TypeDate)
	encoded.Encoding = plugin.EncodingISODate
	t.Run("what it lists can be stored, and what is written as a string", func(t *testing.T) {
		report := check(t, use("sn", plugin.TypeString), use("age", plugin.TypeInteger), encoded)
		if len(report.Findings) > 0 || len(report.Encodings) != 1 || report.Encodings["born"] != plugin.EncodingISODate {
			t.Errorf("got %+v", report)
		}
	})
	long, password, misfit := use("sn", plugin.TypeString), use("", plugin.TypeString), encoded
	long.MaxBytes, password.MaxBytes, misfit.Encoding = 101, 73, plugin.EncodingUpperBoolean
	for name, c := range map[string]struct {
		uses []plugin.AttributeUse
		want string
	}{
		"a type it does not list":     {[]plugin.AttributeUse{use("born", plugin.TypeDate)}, `keeps no values of type "date"`},
		"an encoding of another type": {[]plugin.AttributeUse{misfit}, `cannot be written as "TRUE/FALSE"`},
		"too long a text":             {[]plugin.AttributeUse{long}, "101 bytes long, and the store keeps 100"},
		"too long a password":         {[]plugin.AttributeUse{password}, "73 bytes long, and the store keeps 72"},
		"too many attributes": {[]plugin.AttributeUse{
			use("a", plugin.TypeString), use("b", plugin.TypeString), use("c", plugin.TypeString), use("d", plugin.TypeString),
		}, "stores 4 attributes, and the store keeps 3"},
	} {
		t.Run(name+" is found", func(t *testing.T) {
			report := check(t, c.uses...)
			if len(report.Findings) != 1 || !strings.Contains(report.Findings[0].Problem, c.want) || report.Findings[0].Fix == "" {
				t.Errorf("want %q, got %+v", c.want, report.Findings)
			}
			if report.Findings[0].Flow != "standard" {
				t.Errorf("the finding does not say where: %+v", report.Findings[0])
			}
		})
	}
}

func TestEncodings(t *testing.T) {
	for _, c := range []struct {
		encoding plugin.Encoding
		value    plugin.Value
		want     string
		alsoRead []string
	}{
		{plugin.EncodingUpperBoolean, plugin.BoolValue(true), "TRUE", []string{"true"}},
		{plugin.EncodingLowerBoolean, plugin.BoolValue(false), "false", []string{"FALSE"}},
		{plugin.EncodingDigitBoolean, plugin.BoolValue(true), "1", nil},
		{plugin.EncodingDigitBoolean, plugin.BoolValue(false), "0", nil},
		{plugin.EncodingGeneralizedTime, plugin.DateTimeValue(whole), "20260301120000Z", []string{"20260301120000.5Z", "202603011200Z", "20260301130000+0100", "2026030112Z"}},
		{plugin.EncodingGeneralizedTime, plugin.DateValue(whole), "20260301000000Z", nil},
		{plugin.EncodingISODate, plugin.DateValue(whole), "2026-03-01", nil},
		{plugin.EncodingRFC3339, plugin.DateTimeValue(whole), "2026-03-01T12:00:00Z", []string{"2026-03-01T14:00:00+02:00"}},
		{plugin.EncodingDecimal, plugin.IntValue(-42), "-42", nil},
	} {
		t.Run(fmt.Sprint(c.encoding, " ", c.value.Type), func(t *testing.T) {
			written, err := c.encoding.Encode(c.value)
			if err != nil || written != plugin.StringValue(c.want) {
				t.Errorf("wrote %+v, %v", written, err)
			}
			for _, text := range append(c.alsoRead, c.want) {
				if read, err := c.encoding.Decode(c.value.Type, plugin.StringValue(text)); err != nil || read != c.value {
					t.Errorf("read %q as %+v, %v", text, read, err)
				}
			}
			if _, err := c.encoding.Decode(c.value.Type, plugin.StringValue("nonsense")); !errors.Is(err, plugin.ErrInvalid) {
				t.Errorf("nonsense is read: %v", err)
			}
			if _, err := c.encoding.Encode(plugin.StringValue("x")); !errors.Is(err, plugin.ErrInvalid) {
				t.Errorf("a string is written: %v", err)
			}
		})
	}
	t.Run("no encoding leaves values alone", func(t *testing.T) {
		v := plugin.DateValue(whole)
		written, err := plugin.EncodingNone.Encode(v)
		if err != nil || written != v {
			t.Errorf("got %+v, %v", written, err)
		}
	})
}
