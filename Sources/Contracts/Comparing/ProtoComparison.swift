/// Compares two proto files as `buf breaking` does in its category `WIRE_JSON`, and tells deletions, too.
struct ProtoComparison {
    let old: ProtoFile
    let new: ProtoFile
    let files: (old: String, new: String)
    private var found: [ContractChange] = []

    init(old: ProtoFile, new: ProtoFile, files: (String, String)) {
        self.old = old
        self.new = new
        self.files = files
    }

    mutating func changes() -> [ContractChange] {
        if old.syntax != new.syntax {
            report(
                .protoSyntaxChanged, "syntax", "the syntax was proto\(old.syntax) and is now proto\(new.syntax)",
                old.syntaxSpot, new.syntaxSpot)
        }
        if old.package != new.package {
            report(
                .protoPackageChanged, "package",
                "the package was `\(shortened(old.package))` and is now `\(shortened(new.package))`", old.packageSpot,
                new.packageSpot)
        }
        let messages = Dictionary(new.messages.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for message in old.messages {
            if let now = messages[message.name] {
                compare(message, now)
            } else {
                report(
                    .protoMessageRemoved, path(message.name), "the message `\(shortened(message.name))` is gone",
                    message.spot, new.packageSpot)
            }
        }
        let enumerations = Dictionary(new.enumerations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for enumeration in old.enumerations {
            if let now = enumerations[enumeration.name] {
                compare(enumeration, now)
            } else {
                report(
                    .protoEnumRemoved, path(enumeration.name), "the enum `\(shortened(enumeration.name))` is gone",
                    enumeration.spot, new.packageSpot)
            }
        }
        compareServices()
        return found
    }

    private mutating func compareServices() {
        for service in old.services {
            guard let now = new.services.first(where: { $0.name == service.name }) else {
                report(
                    .protoServiceRemoved, path(service.name), "the service `\(shortened(service.name))` is gone",
                    service.spot, new.packageSpot)
                continue
            }
            let methods = Dictionary(now.methods.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            for method in service.methods {
                let here = "\(service.name).\(method.name)"
                if let after = methods[method.name] {
                    compare(method, after, here)
                } else {
                    report(
                        .protoMethodRemoved, path(here), "the method `\(shortened(here))` is gone", method.spot,
                        now.spot)
                }
            }
        }
    }

    private mutating func compare(
        _ before: ProtoFile.Service.Method, _ after: ProtoFile.Service.Method, _ here: String
    ) {
        if before.request != after.request {
            report(
                .protoMethodRequestChanged, path(here),
                "`\(shortened(here))` took `\(before.request)` and now takes `\(after.request)`", before.spot,
                after.spot)
        }
        if before.response != after.response {
            report(
                .protoMethodResponseChanged, path(here),
                "`\(shortened(here))` gave `\(before.response)` and now gives `\(after.response)`", before.spot,
                after.spot)
        }
        for (whose, was, isNow) in [
            ("the caller", before.streamsRequest, after.streamsRequest),
            ("the server", before.streamsResponse, after.streamsResponse),
        ] where was != isNow {
            report(
                .protoMethodStreamingChanged, path(here),
                "in `\(shortened(here))` \(whose) \(isNow ? "now streams" : "no longer streams")", before.spot,
                after.spot)
        }
    }

    private mutating func compare(_ before: ProtoFile.Message, _ after: ProtoFile.Message) {
        let byNumber = Dictionary(after.fields.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        let byName = Dictionary(after.fields.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let oldNumbers = Set(before.fields.map(\.number))
        for field in before.fields {
            let here = "\(before.name).\(field.name)"
            if let now = byNumber[field.number] {
                compare(field, now, here)
            } else if let now = byName[field.name] {
                report(
                    .protoFieldNumberChanged, path(here),
                    "`\(shortened(here))` had the number \(field.number) and now has \(now.number)", field.spot,
                    now.spot)
            } else {
                removed(field, here, after)
            }
        }
        for field in after.fields where field.label == .required && !oldNumbers.contains(field.number) {
            report(
                .protoRequiredFieldAdded, path("\(after.name).\(field.name)"),
                "`\(shortened("\(after.name).\(field.name)"))` is new and required", before.spot, field.spot)
        }
        compareReserved(before.name, before.reserved, after.reserved, before.spot, after.spot)
    }

    private mutating func removed(_ field: ProtoFile.Field, _ here: String, _ after: ProtoFile.Message) {
        let isReserved = after.reserved.holds(field.number)
        report(
            .protoFieldRemoved, severity: isReserved ? .warning : .error, path(here),
            isReserved
                ? "`\(shortened(here))` is gone; its number is reserved, so callers get its default"
                : "`\(shortened(here))` is gone, and its number \(field.number) is not reserved", field.spot,
            after.reserved.spot ?? after.spot)
    }

    private mutating func compare(_ before: ProtoFile.Field, _ after: ProtoFile.Field, _ here: String) {
        let name = "`\(shortened(here))`"
        if before.name != after.name {
            report(
                .protoFieldRenamed, path(here),
                "\(name), number \(before.number), is now called `\(shortened(after.name))`",
                before.spot, after.spot)
        } else if before.jsonName != after.jsonName {
            report(
                .protoFieldJSONNameChanged, path(here),
                "\(name) was `\(shortened(before.jsonName))` in JSON and is now `\(shortened(after.jsonName))`",
                before.spot,
                after.spot)
        }
        if before.type != after.type {
            report(
                .protoFieldTypeChanged, severity: Self.areAlike(before.type, after.type) ? .warning : .error,
                path(here),
                "\(name) was `\(shortened(before.type))` and is now `\(shortened(after.type))`", before.spot, after.spot
            )
        }
        if before.label != after.label {
            // Whether zero can be told from absent is no question of the wire.
            // The oneof that a field moved into or out of brings its own presence.
            let isOneof = before.oneof != after.oneof
            let isSingle = [before.label, after.label].allSatisfy { $0 == .implicit || $0 == .optional }
            if isOneof, isSingle { return compareOneofs(before, after, here) }
            report(
                .protoFieldLabelChanged, severity: isSingle ? .warning : .error, path(here),
                "\(name) was \(Self.shown(before.label)) and is now \(Self.shown(after.label))", before.spot, after.spot
            )
        }
        compareOneofs(before, after, here)
    }

    private mutating func compareOneofs(_ before: ProtoFile.Field, _ after: ProtoFile.Field, _ here: String) {
        if before.oneof != after.oneof {
            report(
                .protoFieldOneofChanged, path(here),
                "`\(shortened(here))` was \(Self.shown(before.oneof)) and is now \(Self.shown(after.oneof))",
                before.spot, after.spot
            )
        }
    }

    private mutating func compare(_ before: ProtoFile.Enumeration, _ after: ProtoFile.Enumeration) {
        for value in before.values {
            let here = "\(before.name).\(value.name)"
            if let now = after.values.first(where: { $0.name == value.name }) {
                guard now.number != value.number else { continue }
                report(
                    .protoEnumValueNumberChanged, path(here),
                    "`\(shortened(here))` had the number \(value.number) and now has \(now.number)", value.spot,
                    now.spot)
            } else if let now = after.values.first(where: { $0.number == value.number }) {
                report(
                    .protoEnumValueRenamed, path(here),
                    "`\(shortened(here))`, number \(value.number), is now called `\(shortened(now.name))`", value.spot,
                    now.spot)
            } else {
                let isReserved = after.reserved.holds(value.number)
                report(
                    .protoEnumValueRemoved, severity: isReserved ? .warning : .error, path(here),
                    "`\(shortened(here))` is gone\(isReserved ? "" : ", and its number \(value.number) is not reserved")",
                    value.spot, after.reserved.spot ?? after.spot)
            }
        }
        compareReserved(before.name, before.reserved, after.reserved, before.spot, after.spot)
    }

    private mutating func compareReserved(
        _ name: String, _ before: ProtoFile.Reserved, _ after: ProtoFile.Reserved, _ theirs: Spot, _ mine: Spot
    ) {
        let numbers = before.numbers.filter { !after.holds($0) }.map {
            $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound)"
        }
        let gone = numbers + before.names.subtracting(after.names).sorted().map { "\"\(shortened($0))\"" }
        guard !gone.isEmpty else { return }
        report(
            .protoReservedRemoved, path(name),
            "`\(shortened(name))` no longer reserves \(gone.prefix(10).joined(separator: ", "))", before.spot ?? theirs,
            after.spot ?? mine)
    }

    /// Both ways the same on the wire and in JSON.
    private static func areAlike(_ one: String, _ other: String) -> Bool {
        let groups: [Set<String>] = [
            ["int32", "uint32"], ["int64", "uint64"], ["fixed32", "sfixed32"], ["fixed64", "sfixed64"],
        ]
        return groups.contains { $0.contains(one) && $0.contains(other) }
    }

    private static func shown(_ label: ProtoFile.Label) -> String {
        switch label {
        case .implicit: "without presence"
        default: label.rawValue
        }
    }

    private static func shown(_ oneof: String?) -> String {
        oneof.map { "in the oneof `\(shortened($0))`" } ?? "in no oneof"
    }

    /// With the old package.
    private func path(_ name: String) -> String { old.package.isEmpty ? name : "\(old.package).\(name)" }

    private mutating func report(
        _ rule: ContractRule, severity: ContractChange.Severity? = nil, _ path: String, _ message: String,
        _ theirs: Spot,
        _ mine: Spot
    ) {
        if found.count >= ContractLimits.changes {
            if found.count == ContractLimits.changes {
                found.append(
                    ContractChange(
                        rule: .comparisonIncomplete, path: "", message: "there are more changes than are told",
                        mine: Spot.start.place(in: files.new), theirs: Spot.start.place(in: files.old)))
            }
            return
        }
        found.append(
            ContractChange(
                rule: rule, severity: severity, path: path, message: message, mine: mine.place(in: files.new),
                theirs: theirs.place(in: files.old)))
    }
}
