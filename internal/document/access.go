package document

// AccessPolicy says who may do what with a repository of Artifact Registry, as Google's IAM has it.
type AccessPolicy struct {
	Version  int64           `json:"version,omitempty"` // 3 where there are conditions
	Etag     string          `json:"etag"`              // of this state: a change is refused once there is another
	Bindings []AccessBinding `json:"bindings"`
}

// AccessBinding gives one role to its members.
type AccessBinding struct {
	Role      string           `json:"role"`
	Members   []string         `json:"members"`
	Condition *AccessCondition `json:"condition,omitempty"` // nil: always
}

// AccessCondition is when a binding holds, in Google's language for it.
type AccessCondition struct {
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Expression  string `json:"expression"`
	Location    string `json:"location,omitempty"`
}
