import Blueprints
import Foundation
import Glibc

/// One input after the other into what reads Blueprints, each judged by laws; a case is its seed's number and nothing
/// else, so that it can be repeated.
struct BlueprintFuzz {
    struct Finding: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    struct Report: Sendable {
        var cases = 0
        /// Inputs that were YAML, those without an error, and those that were composed onto a parent.
        var documents = 0
        var valid = 0
        var composed = 0
        var imported = 0
        var formatted = 0
        var slowest = Duration.zero
        var slowestSeed: UInt64 = 0
        var peakMegabytes = 0
        var findings: [String] = []
    }

    /// Processor time for one step (reading, checking, …) with one input of up to 64 KiB, in a debug build.
    static let patience = Duration.seconds(1)

    /// However slow the machine is, so many are tried.
    static let least = 150

    let parent: BlueprintDocument

    init() {
        let text = CompositionTests.parentText
        // The tests of composing hold that it can be read.
        parent = Blueprint.read(Array(text.utf8), file: "parent.yaml", folder: "/parent").document!
    }

    /// Runs cases from the seed on until either bound is reached or five findings are made.
    func run(from base: UInt64, seconds: Double, most: Int, mark: String? = nil) -> Report {
        var report = Report()
        let end = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
        let marker = mark.map { open($0, O_WRONLY | O_CREAT, 0o644) } ?? -1
        defer { if marker >= 0 { close(marker) } }
        while report.cases < most, report.cases < Self.least || ContinuousClock.now < end, report.findings.count < 5 {
            let seed = base &+ UInt64(report.cases)
            // What ends the process is found by the number that it leaves behind.
            if marker >= 0 { _ = "\(seed)                    \n".withCString { pwrite(marker, $0, 21, 0) } }
            report.cases += 1
            one(seed, &report)
            if report.cases % 500 == 0 { report.peakMegabytes = max(report.peakMegabytes, Self.residentMegabytes()) }
        }
        return report
    }

    func one(_ seed: UInt64, _ report: inout Report) {
        let input = FuzzedText(seed: seed).bytes()
        do {
            try laws(input, seed, &report)
        } catch {
            report.findings.append("MICROSTAX_FUZZ_CASE=blueprints:\(seed): \(error)")
        }
    }

    /// The time of this thread alone: how busy the machine is says nothing about a step.
    private static func processorTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private func timed<T>(_ step: String, _ seed: UInt64, _ report: inout Report, _ body: () throws -> T) throws -> T {
        let begin = Self.processorTime()
        let result = try body()
        let took = Self.processorTime() - begin
        if took > report.slowest { (report.slowest, report.slowestSeed) = (took, seed) }
        guard took < Self.patience else { throw Finding("\(step) took \(took)") }
        return result
    }

    private func laws(_ input: [UInt8], _ seed: UInt64, _ report: inout Report) throws {
        try importing(input, seed, &report)
        try formatting(input, seed, &report)
        if seed % 4 == 0 { try discovering(input, seed, &report) }
        let (document, diagnostics) = try timed("reading", seed, &report) {
            Blueprint.read(input, file: "f.yaml", folder: "/f")
        }
        try positions(diagnostics)
        guard let document else {
            guard diagnostics.contains(where: { $0.severity == .error }) else {
                throw Finding("refused without a word")
            }
            return
        }
        report.documents += 1
        for (above, mode) in [(nil, EnvironmentMode.baseline), (parent, .overlay), (nil, .overlay)] {
            let checked = try timed("checking", seed, &report) {
                Blueprint.check(document, over: above, mode: mode, unbuilt: .warning)
            }
            try positions(checked.diagnostics)
            guard (checked.spec == nil) == checked.diagnostics.contains(where: { $0.severity == .error }) else {
                throw Finding("a spec with errors, or neither")
            }
            _ = checked.composed.explain("")
            guard let spec = checked.spec else { continue }
            report.valid += 1
            if above != nil { report.composed += 1 }
            // What was composed stands for itself: read again from the store, it gives the same.
            let stored = try JSONDecoder().decode(
                BlueprintDocument.self, from: JSONEncoder().encode(checked.composed))
            guard stored == checked.composed else { throw Finding("stored and read, it is another") }
            let again = Blueprint.check(checked.composed, mode: mode, unbuilt: .warning)
            if above != nil, again.spec != spec, checked.removedServices.isEmpty {
                throw Finding("checked again, the composed Blueprint is another")
            }
        }
    }

    /// Whatever is made of a Compose file validates, and is written in the usual form.
    private func importing(_ input: [UInt8], _ seed: UInt64, _ report: inout Report) throws {
        let other = FuzzedText(seed: seed ^ 0xFFFF).bytes()
        let (imported, diagnostics) = try timed("importing", seed, &report) {
            Blueprint.importCompose(
                [input, other].prefix(seed % 3 == 0 ? 2 : 1).map {
                    ComposeFile(name: "compose.yaml", folder: "/f", bytes: $0)
                },
                options: ImportOptions(variables: ["A": "b", "DB_PASSWORD": "hush-hush"]),
                load: { _ in seed % 2 == 0 ? other : nil })
        }
        if let broken = diagnostics.first(where: { $0.file == "blueprint.yaml" && $0.severity == .error }) {
            throw Finding("what was imported does not validate: \(broken.rendered)")
        }
        guard let imported else {
            guard diagnostics.contains(where: { $0.severity == .error }) else { throw Finding("not imported, no word") }
            return
        }
        report.imported += 1
        guard !imported.text.contains("hush-hush") else { throw Finding("a secret was copied") }
        for note in imported.notes {
            guard note.line >= 1, note.column >= 1 else { throw Finding("no position: \(note.rendered)") }
        }
        let again = Blueprint.format(Array(imported.text.utf8), file: "f")
        guard again.text == imported.text else {
            throw Finding("what was imported is not in the usual form: \(again.diagnostics.map(\.rendered))")
        }
    }

    /// Whatever lies in a folder, a draft of it validates.
    private func discovering(_ input: [UInt8], _ seed: UInt64, _ report: inout Report) throws {
        let names = [
            "compose.yaml", "package.json", "Procfile", "Dockerfile", "go.mod", "requirements.txt", "Gemfile",
            "x.csproj",
        ]
        let files = (0..<3).map { index in
            let name = names[Int((seed / 4 + UInt64(index) * 3) % UInt64(names.count))]
            return DiscoveredFile(path: ["", "a_b/", "a_b/C/"][index] + name, bytes: input)
        }
        let (drafted, diagnostics) = try timed("discovering", seed, &report) {
            Blueprint.discover(files + [DiscoveredFile(path: "main.go", bytes: [])], folder: "/f")
        }
        if let broken = diagnostics.first(where: { $0.file == "blueprint.yaml" && $0.severity == .error }) {
            throw Finding("what was drafted does not validate: \(broken.rendered)")
        }
        guard let drafted else { return }
        guard Blueprint.format(Array(drafted.text.utf8), file: "f").text == drafted.text else {
            throw Finding("what was drafted is not in the usual form")
        }
    }

    private func formatting(_ input: [UInt8], _ seed: UInt64, _ report: inout Report) throws {
        let result = try timed("formatting", seed, &report) { Blueprint.format(input, file: "f.yaml") }
        try positions(result.diagnostics)
        guard let text = result.text, !result.diagnostics.contains(where: { $0.code == "not_formatted" }) else {
            return
        }
        report.formatted += 1
        try FormatLaws.hold(input, text, "formatting")
    }

    private func positions(_ diagnostics: [Diagnostic]) throws {
        for diagnostic in diagnostics {
            guard diagnostic.line >= 1, diagnostic.column >= 1 else {
                throw Finding("no position: \(diagnostic.rendered)")
            }
            guard diagnostic.message.utf8.count < 2000 else { throw Finding("\(diagnostic.code): a long message") }
        }
    }

    private static func residentMegabytes() -> Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss >> 10
    }
}
