package doctor

import "errors"

func (p Plan) domain(*ldif, Format) error {
	return errors.New("print the plan: not for Active Directory")
}
