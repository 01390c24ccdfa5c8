module oagw.test/oagw

go 1.18
