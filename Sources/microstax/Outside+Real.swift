import Foundation
import Orchestration
import ProcessRuntime

extension Outside {
    /// The machine's own clock, randomness and ports.
    static let real = Outside(
        now: { Int64(Date().timeIntervalSince1970 * 1000) },
        token: {
            // RFC 4648 base32 in lower case: 10 characters are 50 bits.
            let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
            var generator = SystemRandomNumberGenerator()
            return String((0..<10).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] })
        },
        isPortFree: { LoopbackPort.isFree($0) })
}
