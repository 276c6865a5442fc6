import Contracts
import Testing

/// Laws over seeded random documents: what is planted is found, what is harmless is not, bad input is answered.
@Suite struct LawTests {
    private func codes(_ old: RandomAPI, _ new: RandomAPI) throws -> [String] {
        let before = try #require(ContractDocument.read(Array(old.text.utf8), file: "old.json").document)
        let after = try #require(ContractDocument.read(Array(new.text.utf8), file: "new.json").document)
        return breakingChanges(from: before, to: after).map(\.code)
    }

    @Test(arguments: [UInt64(20_261_121)]) func plantedChangesAreFoundAndHarmlessOnesAreNot(_ seed: UInt64) throws {
        var random = SeededRandom(state: seed)
        var planted: [String: Int] = [:]
        for round in 0..<5_000 {
            let old = RandomAPI(&random)
            var new = old
            for _ in 0..<random.below(4) { new.changeHarmlessly(&random) }
            if round % 4 == 0 {
                let harmless = try codes(old, new)
                try #require(harmless == [], "seed \(seed), round \(round)\n\(old.text)\n\(new.text)")
            } else {
                // Broken first, so that what breaks is something that callers know.
                var broken = old
                guard let code = broken.breakOnce(&random) else { continue }
                if !broken.operations.isEmpty { for _ in 0..<random.below(3) { broken.changeHarmlessly(&random) } }
                let found = Set(try codes(old, broken))
                let expected: Set<String> =
                    code == "media_type_removed"
                    ? ["request_media_type_removed", "response_media_type_removed"] : [code]
                planted[code, default: 0] += 1
                // A harmless change may undo a planted one (what became required, became optional again).
                if found.isEmpty, ["became", "enum", "required_request"].contains(where: code.contains) { continue }
                try #require(found == expected, "seed \(seed), round \(round)\n\(old.text)\n\(broken.text)")
            }
        }
        #expect(planted.count == 13 && planted.values.allSatisfy { $0 > 20 }, "\(planted)")
    }

    @Test func mutatedDocumentsAreAnswered() {
        var random = SeededRandom(state: 7)
        let proto = Array(
            "syntax = \"proto3\"; package a.b; message A { oneof x { string a = 1; } map<int32, B> m = 3; reserved 5 to 9, 12; message B { repeated A as = 1 [deprecated = true]; } } enum E { Z = 0; } service S { rpc Do(stream A) returns (A.B) { option (x) = { a: 1 }; } }"
                .utf8)
        for round in 0..<1_500 {
            let isProto = round % 3 == 0
            var bytes = isProto ? proto : Array(RandomAPI(&random).text.utf8)
            for _ in 0..<(1 + random.below(4)) { Self.mutate(&bytes, &random) }
            let file = isProto ? "a.proto" : round % 3 == 1 ? "a.json" : "a.yaml"
            let (document, problems) = ContractDocument.read(bytes, file: file)
            for problem in problems { #expect(problem.place.line >= 1 && problem.place.column >= 1) }
            guard let document else {
                #expect(problems.contains { $0.severity == .error })
                continue
            }
            let found = breakingChanges(from: document, to: document)
            #expect(found.isEmpty, "round \(round): \(found.map(\.rendered))")
        }
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
        guard !bytes.isEmpty else { return }
        let place = random.below(bytes.count)
        let end = min(bytes.count, place + 1 + random.below(20))
        switch random.below(4) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.removeSubrange(place..<end)
        case 2: bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count))
        default: bytes[place] = Array("{}[]():;,\"=.$&*-#".utf8)[random.below(17)]
        }
    }
}
