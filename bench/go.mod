module transship/bench

go 1.26.0

require (
	github.com/opencontainers/go-digest v1.0.0
	golang.org/x/time v0.16.0
	transship v0.0.0
)

require github.com/opencontainers/image-spec v1.1.1

replace transship => ../
