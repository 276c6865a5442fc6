import Testing

@testable import Blueprints

@Suite struct FormatTests {
    private func formatted(_ text: String) -> String? { Blueprint.format(Array(text.utf8), file: "f.yaml").text }

    @Test func writesTheUsualForm() {
        #expect(
            formatted(FuzzCorpus.commented) == """
                # The shop.
                # yaml-language-server: $schema=blueprint.schema.json

                name: shop   # its name
                services: # all of them
                  # the front
                  web:
                    command: [./web,
                      --flag, # a flag
                      x]
                    ports:
                      - "8080"   # http
                      - {name: admin, containerPort: 9090} # for us
                    # at the end of web

                  db:
                    command: ["postgres"]
                    env:
                      A: >-
                        folded
                        text # no comment

                      B: 'single
                        quoted # no comment
                        text'
                      C: |+
                        kept

                  # after db
                # the end

                """)
    }

    struct Sample: Sendable, CustomTestStringConvertible {
        var before: String
        var after: String
        init(_ before: String, _ after: String) { (self.before, self.after) = (before, after) }
        var testDescription: String { before.replacing("\n", with: "⏎") }
    }

    @Test(arguments: [
        Sample("services:\n    a:\n        image: x\nname: y", "name: y\nservices:\n  a:\n    image: x\n"),
        Sample(
            "services:\n- command: [a]\n  name: x\n- name: y", "services:\n  - name: x\n    command: [a]\n  - name: y\n"
        ),
        Sample(
            "services:\n  - # why\n    name: x\n  # next\n  - name: y\n\n\n\n",
            "services:\n  - # why\n    name: x\n  # next\n  - name: y\n"),
        Sample(
            "services:\n  a:\n    ports: []\n    # of command\n    command: [x]\n    # last\n",
            "services:\n  a:\n    # of command\n    command: [x]\n    ports: []\n    # last\n"),
        Sample("name: x\r\ndescription: y\r\n", "name: x\ndescription: y\n"),
        Sample("---\nname: x\n", "---\nname: x\n"), Sample("\n\n# a\n\n\nname: x", "# a\n\nname: x\n"),
        Sample("services: {b: {command: [b]}}\nname: x\n", "name: x\nservices: {b: {command: [b]}}\n"),
        Sample("x: |\n      a\n        b\n\n\n\ny: 1\n", "x: |\n      a\n        b\n\ny: 1\n"),
        Sample(
            "services:\n    a:\n        args:\n            - |\n                one\n                  two\n            - x\n",
            "services:\n  a:\n    args:\n      - |\n          one\n            two\n      - x\n"),
        Sample(
            "services:\n  a: &a\n    env: {A: 1}\n    image: x\n  b: *a\n",
            "services:\n  a: &a\n    env: {A: 1}\n    image: x\n  b: *a\n"),
        Sample(
            "services:\n  a:\n    init:\n      script: x\n      type: sql\n",
            "services:\n  a:\n    init:\n      type: sql\n      script: x\n"),
    ])
    func movesLinesAsTheyAre(sample: Sample) {
        let text = formatted(sample.before)
        #expect(text == sample.after)
        #expect(text.flatMap(formatted) == sample.after)
    }

    /// The same tree, the same comments, and formatting again changes nothing; for Blueprints of every shape, and for
    /// texts that nobody means well with.
    @Test func changesNeitherMeaningNorComments() throws {
        var formattedOnes = 0
        var changed = 0
        var leftAlone = 0
        for seed in UInt64(0)..<10_000 {
            let bytes = FuzzedText(seed: seed).bytes()
            guard bytes.count < 4000 else { continue }
            let result = Blueprint.format(bytes, file: "f.yaml")
            guard let text = result.text else { continue }
            formattedOnes += 1
            if result.diagnostics.contains(where: { $0.code == "not_formatted" }) {
                leftAlone += 1
                #expect(text == String(decoding: bytes, as: UTF8.self), "seed \(seed)")
                continue
            }
            if Array(text.utf8) != bytes { changed += 1 }
            try FormatLaws.hold(bytes, text, "seed \(seed)")
        }
        print("format: \(formattedOnes) texts, \(changed) changed, \(leftAlone) left alone")
        // A formatter that leaves everything alone would break no law.
        #expect(changed * 3 > formattedOnes - leftAlone)
        #expect(leftAlone * 2 < formattedOnes)
    }

    @Test func whatIsNoYAMLIsAnError() {
        let result = Blueprint.format(Array("a: [".utf8), file: "f.yaml")
        #expect(result.text == nil)
        #expect(result.diagnostics.map(\.code) == ["yaml_syntax"])
    }

    @Test(arguments: ["{name: x}", "? a\n: b\n", "- - a\n  - b\n", "name: x\u{2028}\n"])
    func whatIsNotKnownIsLeftAlone(text: String) {
        let result = Blueprint.format(Array(text.utf8), file: "f.yaml")
        #expect(result.text == text)
        #expect(result.diagnostics.map(\.code) == ["not_formatted"])
    }
}

enum FormatLaws {
    struct Broken: Error, CustomStringConvertible {
        var description: String
    }

    /// By ways of its own: the formatter's own check is not asked.
    static func hold(_ before: [UInt8], _ after: String, _ what: String) throws {
        let file = SourceFile(name: "f", folder: "/")
        let (mine, _) = BlueprintReader(file: file).read(before)
        let (theirs, _) = BlueprintReader(file: file).read(Array(after.utf8))
        guard let mine, let theirs, plain(mine) == plain(theirs) else {
            throw Broken(description: "\(what): it reads differently")
        }
        guard Blueprint.format(Array(after.utf8), file: "f").text == after else {
            throw Broken(description: "\(what): formatting it again changes it")
        }
        // Every line's `#…` outside of quotes and blocks is somewhere in the other; counted by a rough scan that takes
        // some text for comments, in both alike.
        guard hashes(String(decoding: before, as: UTF8.self)) == hashes(after) else {
            throw Broken(description: "\(what): a comment is lost")
        }
    }

    private static func plain(_ value: LocatedValue) -> String {
        switch value.content {
        case .null: "null"
        case .scalar(let text, let kind): "\(kind) \(text.debugDescription)"
        case .sequence(let items): "[" + items.map(plain).joined(separator: ",") + "]"
        case .mapping(let entries):
            "{"
                + entries.sorted { $0.key < $1.key }.map { "\($0.key.debugDescription):\(plain($0.value))" }.joined(
                    separator: ",") + "}"
        }
    }

    private static func hashes(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).compactMap { line -> String? in
            guard let hash = line.firstIndex(of: "#") else { return nil }
            var rest = line[hash...]
            while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
            return String(rest)
        }.sorted()
    }
}
