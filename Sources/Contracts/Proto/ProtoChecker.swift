/// Looks names of types up, as the language says (from the innermost scope outwards), and finds what protoc would refuse
/// that concerns what goes over the wire.
struct ProtoChecker {
    private(set) var file: ProtoFile
    private(set) var problems: Problems
    private var declared: Set<String> = []
    private let packageParts: [Substring]

    static let scalars: Set<String> = [
        "double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32",
        "sfixed64", "bool", "string", "bytes",
    ]

    init(file: ProtoFile, problems: Problems) {
        self.file = file
        self.problems = problems
        packageParts = file.package.split(separator: ".")
    }

    mutating func check() {
        for message in file.messages { declare(message.name, message.spot) }
        for enumeration in file.enumerations { declare(enumeration.name, enumeration.spot) }
        var services: Set<String> = []
        for service in file.services where !services.insert(service.name).inserted {
            problems.error("duplicate_name", "`\(shortened(service.name))` is declared twice", at: service.spot)
        }
        for index in file.messages.indices { check(messageAt: index) }
        for enumeration in file.enumerations { check(enumeration) }
        for index in file.services.indices { check(serviceAt: index) }
    }

    private mutating func declare(_ name: String, _ spot: Spot) {
        if !declared.insert(name).inserted {
            problems.error("duplicate_name", "`\(shortened(name))` is declared twice", at: spot)
        }
    }

    private mutating func check(messageAt index: Int) {
        let message = file.messages[index]
        var names: Set<String> = []
        var numbers: [Int: String] = [:]
        for (position, field) in message.fields.enumerated() {
            let place = "`\(shortened(field.name))` of `\(shortened(message.name))`"
            if !names.insert(field.name).inserted {
                problems.error("duplicate_name", "\(place) is declared twice", at: field.spot)
            }
            if let other = numbers[field.number] {
                problems.error(
                    "duplicate_number", "\(place) has the number \(field.number), as `\(shortened(other))` has",
                    at: field.spot)
            }
            numbers[field.number] = field.name
            if !(1...536_870_911).contains(field.number) || (19_000...19_999).contains(field.number) {
                problems.error(
                    "wrong_number", "\(place): \(field.number) is not from 1 to 536870911, or from 19000 to 19999",
                    at: field.spot)
            }
            if message.reserved.holds(field.number) || message.reserved.names.contains(field.name) {
                problems.error("reserved", "\(place) has a reserved number or name", at: field.spot)
            }
            if file.syntax == 3, field.label == .required {
                problems.error("wrong_label", "\(place): proto3 has no `required`", at: field.spot)
            }
            file.messages[index].fields[position].type = resolved(field.type, scope: message.name, at: field.spot)
        }
    }

    private mutating func check(_ enumeration: ProtoFile.Enumeration) {
        var names: Set<String> = []
        var numbers: Set<Int> = []
        for value in enumeration.values {
            let place = "`\(shortened(value.name))` of `\(shortened(enumeration.name))`"
            if !names.insert(value.name).inserted {
                problems.error("duplicate_name", "\(place) is declared twice", at: value.spot)
            }
            if !numbers.insert(value.number).inserted, !enumeration.allowsAliases {
                problems.error(
                    "duplicate_number", "\(place) has the number of another one, and `allow_alias` is not set",
                    at: value.spot)
            }
            if enumeration.reserved.holds(value.number) || enumeration.reserved.names.contains(value.name) {
                problems.error("reserved", "\(place) has a reserved number or name", at: value.spot)
            }
        }
        if file.syntax == 3, let first = enumeration.values.first, first.number != 0 {
            problems.error("wrong_number", "the first value of an enum is 0 in proto3", at: first.spot)
        }
        if enumeration.values.isEmpty {
            problems.error("missing_field", "`\(shortened(enumeration.name))` has no values", at: enumeration.spot)
        }
    }

    private mutating func check(serviceAt index: Int) {
        var names: Set<String> = []
        for (position, method) in file.services[index].methods.enumerated() {
            if !names.insert(method.name).inserted {
                problems.error("duplicate_name", "`\(shortened(method.name))` is declared twice", at: method.spot)
            }
            file.services[index].methods[position].request = resolved(method.request, scope: "", at: method.spot)
            file.services[index].methods[position].response = resolved(method.response, scope: "", at: method.spot)
        }
    }

    private mutating func resolved(_ type: String, scope: String, at spot: Spot) -> String {
        if Self.scalars.contains(type) || type.hasPrefix("group ") { return type }
        if type.hasPrefix("map<"), let comma = type.firstIndex(of: ",") {
            let value = String(type[type.index(comma, offsetBy: 2)...].dropLast())
            return "\(type[..<comma]), \(resolved(value, scope: scope, at: spot))>"
        }
        if let found = lookUp(type, scope: scope) { return found }
        if !file.hasImports {
            problems.error("unknown_type", "the type `\(shortened(type))` is not declared", at: spot)
        }
        return type.hasPrefix(".") ? String(type.dropFirst()) : type
    }

    private func lookUp(_ type: String, scope: String) -> String? {
        if type.hasPrefix(".") {
            let prefix = file.package.isEmpty ? "." : "." + file.package + "."
            guard type.hasPrefix(prefix) else { return nil }
            let name = String(type.dropFirst(prefix.count))
            return declared.contains(name) ? name : nil
        }
        var scope = scope[...]
        while !scope.isEmpty {
            let name = scope + "." + type
            if declared.contains(String(name)) { return String(name) }
            scope = scope.lastIndex(of: ".").map { scope[..<$0] } ?? ""
        }
        if declared.contains(type) { return type }
        for start in packageParts.indices {
            let prefix = packageParts[start...].joined(separator: ".") + "."
            guard type.hasPrefix(prefix) else { continue }
            let name = String(type.dropFirst(prefix.count))
            if declared.contains(name) { return name }
        }
        return nil
    }
}
