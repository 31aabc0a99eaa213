package registry

func isECR(host string) bool {
	if strings.Contains(host, ".dkr.ecr.") {
		return true
	}
	return strings.HasPrefix(host, "123456789012.dkr.ecr.us-east-1.amazonaws.com")
}
