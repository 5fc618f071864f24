package main

// Requests of the API. The struct tags repeat the limits of AWS's model, and a test compares
// the two. validate rejects requests that violate them.

type createSecretInput struct {
	Name                        string  `aws:"required,min=1,max=512"`
	ClientRequestToken          *string `aws:"min=32,max=64"`
	Description                 *string `aws:"max=2048"`
	KmsKeyId                    *string `aws:"max=2048"`
	SecretBinary                *[]byte `aws:"max=65536"`
	SecretString                *string `aws:"max=65536"`
	Tags                        []tag
	AddReplicaRegions           []replicaRegion `aws:"min=1"`
	ForceOverwriteReplicaSecret bool
}

type replicaRegion struct {
	Region   *string `aws:"min=1,max=128,pattern=^([a-z]+-)+\\d+$"`
	KmsKeyId *string `aws:"max=2048"`
}

type tag struct {
	Key   *string `json:",omitempty" aws:"min=1,max=128"`
	Value *string `json:",omitempty" aws:"max=256"`
}

// target identifies a secret by name or ARN.
type target struct {
	SecretId string `aws:"required,min=1,max=2048"`
}

type describeSecretInput struct{ target }

type restoreSecretInput struct{ target }

type getSecretValueInput struct {
	target
	VersionId    *string `aws:"min=32,max=64"`
	VersionStage *string `aws:"min=1,max=256"`
}

type putSecretValueInput struct {
	target
	ClientRequestToken *string `aws:"min=32,max=64"`
	SecretBinary       *[]byte `aws:"max=65536"`
	SecretString       *string `aws:"max=65536"`
	VersionStages      []stage `aws:"min=1,max=20"`
}

// stage is a staging label.
type stage string

type updateSecretInput struct {
	target
	ClientRequestToken *string `aws:"min=32,max=64"`
	Description        *string `aws:"max=2048"`
	KmsKeyId           *string `aws:"max=2048"`
	SecretBinary       *[]byte `aws:"max=65536"`
	SecretString       *string `aws:"max=65536"`
}

type updateSecretVersionStageInput struct {
	target
	VersionStage        string  `aws:"required,min=1,max=256"`
	RemoveFromVersionId *string `aws:"min=32,max=64"`
	MoveToVersionId     *string `aws:"min=32,max=64"`
}

type deleteSecretInput struct {
	target
	RecoveryWindowInDays       *int64
	ForceDeleteWithoutRecovery bool
}

type tagResourceInput struct {
	target
	Tags []tag `aws:"required"`
}

type untagResourceInput struct {
	target
	TagKeys []tagKey `aws:"required"`
}

type tagKey string

type listSecretsInput struct {
	IncludePlannedDeletion bool
	MaxResults             *int64   `aws:"min=1,max=100"`
	NextToken              *string  `aws:"min=1,max=4096"`
	Filters                []filter `aws:"max=10"`
	SortBy                 *string  `aws:"enum=created-date|last-accessed-date|last-changed-date|name"`
	SortOrder              *string  `aws:"enum=asc|desc"`
}

type filter struct {
	Key    *string       `aws:"enum=description|name|tag-key|tag-value|primary-region|owning-service|all"`
	Values []filterValue `aws:"min=1,max=10"`
}

type filterValue string

type listSecretVersionIdsInput struct {
	target
	MaxResults        *int64  `aws:"min=1,max=100"`
	NextToken         *string `aws:"min=1,max=4096"`
	IncludeDeprecated bool
}

type batchGetSecretValueInput struct {
	SecretIdList []secretID `aws:"min=1,max=20"`
	Filters      []filter   `aws:"max=10"`
	MaxResults   *int64     `aws:"min=1,max=20"`
	NextToken    *string    `aws:"min=1,max=4096"`
}

type secretID string

// limits returns the limits for elements of lists.
func (stage) limits() string       { return "min=1,max=256" }
func (tagKey) limits() string      { return "min=1,max=128" }
func (secretID) limits() string    { return "min=1,max=2048" }
func (filterValue) limits() string { return `max=512,pattern=^\!?[a-zA-Z0-9 :_@\/\+\=\.\-\!]*$` }
