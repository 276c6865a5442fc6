import Foundation
import Testing

/// The fuzzer's short run, and its long one: `make fuzz-blueprints` (`MICROSTAX_FUZZ_SECONDS`, `MICROSTAX_FUZZ_SEED`).
@Suite struct BlueprintFuzzTests {
    private static let environment = ProcessInfo.processInfo.environment

    /// One case again, as a failure names it: `MICROSTAX_FUZZ_CASE=blueprints:42`.
    @Test(.enabled(if: environment["MICROSTAX_FUZZ_CASE"]?.hasPrefix("blueprints:") == true))
    func oneCaseAgain() throws {
        let seed = try #require(Self.environment["MICROSTAX_FUZZ_CASE"].flatMap { UInt64($0.dropFirst(11)) })
        print(String(decoding: FuzzedText(seed: seed).bytes(), as: UTF8.self))
        var report = BlueprintFuzz.Report()
        BlueprintFuzz().one(seed, &report)
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
    }

    @Test func whateverIsReadIsAnsweredSoon() async throws {
        let seconds = Self.environment["MICROSTAX_FUZZ_SECONDS"].flatMap { Double($0) }
        let base = Self.environment["MICROSTAX_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
        let report = BlueprintFuzz().run(
            from: base, seconds: seconds ?? 3, most: seconds == nil ? 1500 : Int.max,
            mark: Self.environment["MICROSTAX_FUZZ_MARK"])
        print(
            """
            fuzz: \(report.cases) inputs from seed \(base): \(report.documents) were YAML, \(report.valid) checks found no \
            error, \(report.composed) of a composed Blueprint; \(report.imported) imported, \(report.formatted) formatted; \
            the slowest took \(report.slowest) (\(report.slowestSeed)); \(report.peakMegabytes) MB
            """)
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
        // A reader that refuses everything would break no law.
        #expect(report.documents * 4 > report.cases)
        #expect(report.valid > 0)
        #expect(report.composed > 0)
        #expect(report.imported > 0)
        #expect(report.formatted > 0)
    }
}
