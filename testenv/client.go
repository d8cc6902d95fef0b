package testenv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client speaks the public API as an app would: with a bearer token.
type Client struct {
	URL   string
	Token string
	HTTP  *http.Client
}

// NewClient returns a client for the API at url.
func NewClient(url string) *Client {
	return &Client{URL: url, HTTP: &http.Client{Timeout: 30 * time.Second}}
}

// Reply is an answer of the API: the members of registrations, accounts and problems that tests look at.
type Reply struct {
	Status int         `json:"-"`
	Raw    string      `json:"-"`
	Header http.Header `json:"-"`

	Flow  string `json:"flow"`
	State string `json:"state"`
	Token string `json:"token"`
	Step  *struct {
		Name   string `json:"name"`
		Kind   string `json:"kind"`
		Target string `json:"target"`
		Fields []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"fields"`
		AttemptsLeft *int `json:"attempts_left"`
	} `json:"step"`
	Account *struct {
		ID       string `json:"id"`
		Username string `json:"username"`
	} `json:"account"`

	Code       string `json:"code"`
	Title      string `json:"title"`
	Violations []struct {
		Field string `json:"field"`
		Code  string `json:"code"`
	} `json:"violations"`
}

// StepName returns the current step's name, or "".
func (r Reply) StepName() string {
	if r.Step == nil {
		return ""
	}
	return r.Step.Name
}

// Call sends one request with body as JSON (nil: none) and keeps a new token.
func (c *Client) Call(method, path string, body any) (Reply, error) {
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return Reply{}, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, c.URL+path, content)
	if err != nil {
		return Reply{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return Reply{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return Reply{}, err
	}
	r := Reply{Status: resp.StatusCode, Raw: string(raw), Header: resp.Header}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &r); err != nil {
			return r, fmt.Errorf("%s %s answered %d with no JSON: %w", method, path, resp.StatusCode, err)
		}
	}
	if r.Token != "" {
		c.Token = r.Token
	}
	return r, nil
}

// Start begins a registration in the default flow.
func (c *Client) Start() (Reply, error) {
	c.Token = ""
	return c.Call("POST", "/v1/registration", map[string]any{})
}

// Step answers the named step.
func (c *Client) Step(name string, answer any) (Reply, error) {
	return c.Call("POST", "/v1/registration/steps/"+name, answer)
}

// Items answers a data step.
func (c *Client) Items(step string, items map[string]any) (Reply, error) {
	return c.Step(step, map[string]any{"items": items})
}

// Login checks an identifier and a password.
func (c *Client) Login(identifier, password string) (Reply, error) {
	anonymous := Client{URL: c.URL, HTTP: c.HTTP}
	return anonymous.Call("POST", "/v1/login", map[string]any{"identifier": identifier, "password": password})
}

// ErrStatus is what Register returns, wrapped, for an answer it did not expect.
var ErrStatus = errors.New("unexpected answer")

// Person is somebody who registers in the default flow.
type Person struct{ Email, GivenName, FamilyName, Password string }

// Register walks the default flow to its end and returns the last answer. code fetches the code from the mailbox.
func (c *Client) Register(p Person, code func(email string) (string, error)) (Reply, error) {
	if r, err := c.Start(); err != nil || r.Status != http.StatusCreated {
		return r, unexpected("start", r, err)
	}
	r, err := c.Items("about-you", map[string]any{"email": p.Email, "given_name": p.GivenName, "family_name": p.FamilyName})
	if err != nil || r.Status != http.StatusOK {
		return r, unexpected("about-you", r, err)
	}
	digits, err := code(p.Email)
	if err != nil {
		return r, err
	}
	if r, err = c.Step("verify-email", map[string]any{"code": digits}); err != nil || r.Status != http.StatusOK {
		return r, unexpected("verify-email", r, err)
	}
	if r, err = c.Items("password", map[string]any{"password": p.Password}); err != nil || r.Status != http.StatusOK {
		return r, unexpected("password", r, err)
	}
	return r, nil
}

func unexpected(step string, r Reply, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return fmt.Errorf("%s: %w: %d %s", step, ErrStatus, r.Status, r.Raw)
}
