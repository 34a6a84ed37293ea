"""Photos from elsewhere: a public album, or an archive, fetched once and unpacked safely."""
