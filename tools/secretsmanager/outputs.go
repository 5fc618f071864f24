package main

// Answers of the API. Secrets Manager "only returns fields that have a value".

// named contains the first members of most answers.
type named struct {
	ARN  string
	Name string
}

// versioned is the answer of an operation that creates a version.
type versioned struct {
	named
	VersionId     string   `json:",omitempty"`
	VersionStages []string `json:",omitempty"`
}

type describeSecretOutput struct {
	named
	Description        string              `json:",omitempty"`
	KmsKeyId           string              `json:",omitempty"`
	LastChangedDate    *epoch              `json:",omitempty"`
	LastAccessedDate   *epoch              `json:",omitempty"`
	DeletedDate        *epoch              `json:",omitempty"`
	Tags               tagSet              `json:",omitempty"`
	VersionIdsToStages map[string][]string `json:",omitempty"`
	CreatedDate        *epoch              `json:",omitempty"`
}

type secretValue struct {
	named
	VersionId     string
	SecretBinary  *[]byte  `json:",omitempty"`
	SecretString  *string  `json:",omitempty"`
	VersionStages []string `json:",omitempty"`
	CreatedDate   *epoch   `json:",omitempty"`
}

type deleteSecretOutput struct {
	named
	DeletionDate *epoch
}

type secretListEntry struct {
	ARN                    string
	Name                   string
	Description            string              `json:",omitempty"`
	KmsKeyId               string              `json:",omitempty"`
	LastChangedDate        *epoch              `json:",omitempty"`
	LastAccessedDate       *epoch              `json:",omitempty"`
	DeletedDate            *epoch              `json:",omitempty"`
	Tags                   tagSet              `json:",omitempty"`
	SecretVersionsToStages map[string][]string `json:",omitempty"`
	CreatedDate            *epoch              `json:",omitempty"`

	region string
}

type listSecretsOutput struct {
	SecretList []secretListEntry
	NextToken  string `json:",omitempty"`
}

type versionEntry struct {
	VersionId        string
	VersionStages    []string `json:",omitempty"`
	LastAccessedDate *epoch   `json:",omitempty"`
	CreatedDate      *epoch   `json:",omitempty"`
	KmsKeyIds        []string `json:",omitempty"`
}

type listSecretVersionIdsOutput struct {
	named
	Versions  []versionEntry
	NextToken string `json:",omitempty"`
}

type batchOutput struct {
	SecretValues []secretValue
	Errors       []batchError `json:",omitempty"`
	NextToken    string       `json:",omitempty"`
}

type batchError struct {
	SecretId  string
	ErrorCode string
	Message   string
}
