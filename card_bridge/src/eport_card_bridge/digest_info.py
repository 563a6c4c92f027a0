"""DigestInfo of PKCS#1 v1.5 (RFC 8017 §9.2): what stands before a digest in an RSA signature."""

SHA1_PREFIX = bytes.fromhex("3021300906052b0e03021a05000414")
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
