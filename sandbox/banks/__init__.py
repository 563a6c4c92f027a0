"""Three banks that say whose UKEY it is (docs/protocols/bank-ukey.md), each with a dialect and virtual UKEYs of its own."""
