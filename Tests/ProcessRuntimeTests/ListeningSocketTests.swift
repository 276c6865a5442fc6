import Testing

@testable import ProcessRuntime

@Suite struct ListeningSocketTests {
    /// As a kernel wrote it on a little-endian machine.
    @Test func theKernelsTableIsRead() {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
               1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
               2: 0100007F:1F90 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
               3: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0     0        0 4714 1
               4: garbage
            """
        #expect(
            ListeningSocket.parse(table) == [
                ListeningSocket(address: "127.0.0.1", port: 8080, link: "socket:[4711]"),
                ListeningSocket(address: "0.0.0.0", port: 22, link: "socket:[4712]"),
                ListeningSocket(address: "::1", port: 80, link: "socket:[4714]"),
            ])
    }
}
