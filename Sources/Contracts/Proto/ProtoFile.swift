/// What a proto file declares. Names are relative to its package (`Order.Item`), so that two files compare also when the
/// package changed.
struct ProtoFile: Sendable {
    enum Label: String, Sendable {
        /// Without a word: absent and zero are the same (proto3).
        case implicit, optional, required, repeated
    }

    struct Message: Sendable {
        var name: String
        var spot: Spot
        var fields: [Field] = []
        var reserved = Reserved()
    }

    struct Field: Sendable {
        var name: String
        var number: Int
        /// A scalar, `map<string, Item>`, or the name of a type: relative where this file declares it, else as written.
        var type: String
        var label: Label
        /// The name of the oneof that it is in.
        var oneof: String?
        var jsonName: String
        var spot: Spot
    }

    struct Enumeration: Sendable {
        struct Value: Sendable {
            var name: String
            var number: Int
            var spot: Spot
        }

        var name: String
        var spot: Spot
        var values: [Value] = []
        var allowsAliases = false
        var reserved = Reserved()
    }

    struct Service: Sendable {
        struct Method: Sendable {
            var name: String
            var request: String
            var response: String
            var streamsRequest: Bool
            var streamsResponse: Bool
            var spot: Spot
        }

        var name: String
        var spot: Spot
        var methods: [Method] = []
    }

    struct Reserved: Sendable {
        var numbers: [ClosedRange<Int>] = []
        var names: Set<String> = []
        var spot: Spot?

        func holds(_ number: Int) -> Bool { numbers.contains { $0.contains(number) } }

        /// Whether all numbers of the range are in here.
        func holds(_ range: ClosedRange<Int>) -> Bool {
            var next = range.lowerBound
            for other in numbers.sorted(by: { $0.lowerBound < $1.lowerBound }) where other.contains(next) {
                if other.upperBound >= range.upperBound { return true }
                next = other.upperBound + 1
            }
            return false
        }
    }

    /// 2 or 3.
    var syntax = 2
    var syntaxSpot = Spot.start
    /// Empty for none.
    var package = ""
    var packageSpot = Spot.start
    var hasImports = false
    var messages: [Message] = []
    var enumerations: [Enumeration] = []
    var services: [Service] = []
}
