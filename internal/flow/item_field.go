package flow

// field is what a client needs to ask for the item.
func (i *Item) field(texts *Texts, locale string) Field {
	f := Field{
		Name: i.Name, Type: string(i.Type), Label: texts.label(locale, i.Label, i.Name), Required: i.Required,
		Autocomplete: i.Autocomplete, MinDate: i.MinDate, MaxDate: i.MaxDate, Pattern: i.Pattern,
		Min: i.Min, Max: i.Max,
	}
	for _, o := range i.Options {
		label := o.Label.In(locale)
		if label == "" {
			label = o.Value
		}
		f.Options = append(f.Options, Option{Value: o.Value, Label: label})
	}
	return f
}
