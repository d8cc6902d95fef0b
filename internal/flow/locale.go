package flow

import "context"

type localeKey struct{}

// WithLocale asks for answers in a language (BCP 47) that the person has chosen since the registration began. It holds
// for everything that this call says and sends, and stays with the registration when the call changes it.
func WithLocale(ctx context.Context, locale string) context.Context {
	return context.WithValue(ctx, localeKey{}, locale)
}

// chosenLocale returns what WithLocale was told, or "".
func chosenLocale(ctx context.Context) string {
	locale, _ := ctx.Value(localeKey{}).(string)
	return locale
}
