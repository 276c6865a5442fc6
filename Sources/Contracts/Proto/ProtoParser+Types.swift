extension ProtoParser {
    /// - Parameter scope: names of the messages around it, each with a dot behind.
    mutating func message(in scope: String, depth: Int) throws(ProtoFailure) {
        try take()
        let spot = token.spot
        let name = try name()
        try body(of: ProtoFile.Message(name: scope + name, spot: spot), depth: depth)
    }

    private mutating func body(of message: ProtoFile.Message, depth: Int) throws(ProtoFailure) {
        guard depth <= ContractLimits.depth else {
            throw ProtoFailure(
                code: "too_deep", message: "more than \(ContractLimits.depth) messages inside each other",
                spot: token.spot)
        }
        var message = message
        // Its place among the messages is before those that stand in it.
        let index = file.messages.count
        file.messages.append(message)
        let scope = message.name + "."
        try expect("{")
        while !token.isSymbol("}") {
            switch token.word {
            case "message" where try isDeclaration(): try self.message(in: scope, depth: depth + 1)
            case "enum" where try isDeclaration(): try enumeration(in: scope)
            case "extend" where try isDeclaration(): try extend(in: scope, depth: depth + 1)
            case "oneof" where try isDeclaration(): try oneof(into: &message, depth: depth)
            case "option" where try isOption(): try option()
            case "extensions": try skipToSemicolon()
            case "reserved" where try !isDeclaration(): try reserved(&message.reserved, isEnum: false)
            case nil where token.isSymbol(";"): try take()
            default:
                message.fields.append(try field(oneof: nil, scope: scope, depth: depth))
            }
        }
        try take()
        file.messages[index] = message
    }

    /// Whether a word like `message` begins a declaration here, and is not the name of a type: then another word and a
    /// brace follow.
    private func isDeclaration() throws(ProtoFailure) -> Bool {
        var ahead = self
        try ahead.take()
        guard ahead.token.word != nil || ahead.token.isSymbol(".") else { return false }
        if ahead.token.isSymbol(".") { return token.isWord("extend") }
        if token.isWord("extend") { return true }
        try ahead.take()
        return ahead.token.isSymbol("{")
            || (token.isWord("reserved") && (ahead.token.isSymbol("=") || ahead.token.isSymbol(".")))
    }

    private func isOption() throws(ProtoFailure) -> Bool {
        var ahead = self
        try ahead.take()
        if ahead.token.isSymbol("(") { return true }
        try ahead.take()
        // `option foo = 1;` is an option as it is a field of the type `option`: protoc takes it for an option.
        return ahead.token.isSymbol("=") || ahead.token.isSymbol(".")
    }

    private mutating func skipToSemicolon() throws(ProtoFailure) {
        while !token.isSymbol(";") {
            guard token.kind != .end, !token.isSymbol("}") else { throw unexpected("`;`") }
            if token.isSymbol("[") { _ = try fieldOptions() } else { try take() }
        }
        try take()
    }

    private mutating func oneof(into message: inout ProtoFile.Message, depth: Int) throws(ProtoFailure) {
        try take()
        let name = try name()
        try expect("{")
        while !token.isSymbol("}") {
            if token.isSymbol(";") {
                try take()
            } else if token.isWord("option"), try isOption() {
                try option()
            } else {
                message.fields.append(try field(oneof: name, scope: message.name + ".", depth: depth))
            }
        }
        try take()
    }

    private mutating func field(oneof: String?, scope: String, depth: Int) throws(ProtoFailure) -> ProtoFile.Field {
        var label = oneof == nil && file.syntax == 3 ? ProtoFile.Label.implicit : .optional
        if oneof == nil, let word = token.word, let said = ProtoFile.Label(rawValue: word), said != .implicit,
            try !isLabelAType()
        {
            label = said
            try take()
        }
        if token.isWord("group"), file.syntax == 2 { return try group(label, oneof: oneof, scope: scope, depth: depth) }
        let type = try isMap() ? mapType() : qualifiedName()
        let spot = token.spot
        let name = try name()
        try expect("=")
        guard let number = token.integer else { throw unexpected("the number of the field") }
        try take()
        let jsonName = try fieldOptions()
        try expect(";")
        return .init(
            name: name, number: number, type: type, label: type.hasPrefix("map<") ? .repeated : label, oneof: oneof,
            jsonName: jsonName ?? Self.jsonName(name), spot: spot)
    }

    /// `optional = 1;` and `optional.T x = 1;` have no label.
    private func isLabelAType() throws(ProtoFailure) -> Bool {
        var ahead = self
        try ahead.take()
        if ahead.token.isSymbol(".") {
            // `optional .pkg.T x` has one.
            try ahead.take()
            return false
        }
        return ahead.token.isSymbol("=")
    }

    private func isMap() throws(ProtoFailure) -> Bool {
        guard token.isWord("map") else { return false }
        var ahead = self
        try ahead.take()
        return ahead.token.isSymbol("<")
    }

    private mutating func mapType() throws(ProtoFailure) -> String {
        try take()
        try expect("<")
        let key = try qualifiedName()
        try expect(",")
        let value = try qualifiedName()
        try expect(">")
        return "map<\(key), \(value)>"
    }

    /// `repeated group Result = 1 { … }` of proto2: a message and a field in one.
    private mutating func group(
        _ label: ProtoFile.Label, oneof: String?, scope: String, depth: Int
    ) throws(ProtoFailure) -> ProtoFile.Field {
        try take()
        let spot = token.spot
        let name = try name()
        try expect("=")
        guard let number = token.integer else { throw unexpected("the number of the field") }
        try take()
        _ = try fieldOptions()
        try body(of: ProtoFile.Message(name: scope + name, spot: spot), depth: depth + 1)
        let fieldName = name.lowercased()
        return .init(
            name: fieldName, number: number, type: "group " + name, label: label, oneof: oneof, jsonName: fieldName,
            spot: spot)
    }

    /// Fields for messages that are declared elsewhere: read, and not compared.
    mutating func extend(in scope: String, depth: Int) throws(ProtoFailure) {
        try take()
        _ = try qualifiedName()
        try expect("{")
        while !token.isSymbol("}") {
            if token.isSymbol(";") { try take() } else { _ = try field(oneof: nil, scope: scope, depth: depth) }
        }
        try take()
    }

    mutating func enumeration(in scope: String) throws(ProtoFailure) {
        try take()
        var enumeration = ProtoFile.Enumeration(name: "", spot: token.spot)
        enumeration.name = scope + (try name())
        try expect("{")
        while !token.isSymbol("}") {
            if token.isSymbol(";") {
                try take()
            } else if token.isWord("option"), try isOption() {
                let option = try option()
                if option.name == "allow_alias" { enumeration.allowsAliases = option.value == "true" }
            } else if token.isWord("reserved"), try !isValue() {
                try reserved(&enumeration.reserved, isEnum: true)
            } else {
                let spot = token.spot
                let name = try name()
                try expect("=")
                let number = try signedInteger()
                _ = try fieldOptions()
                try expect(";")
                enumeration.values.append(.init(name: name, number: number, spot: spot))
            }
        }
        try take()
        file.enumerations.append(enumeration)
    }

    private func isValue() throws(ProtoFailure) -> Bool {
        var ahead = self
        try ahead.take()
        return ahead.token.isSymbol("=")
    }

    private mutating func reserved(_ reserved: inout ProtoFile.Reserved, isEnum: Bool) throws(ProtoFailure) {
        if reserved.spot == nil { reserved.spot = token.spot }
        repeat {
            try take()
            if let text = token.text {
                reserved.names.insert(text)
                try take()
                continue
            }
            let first = try signedInteger()
            var last = first
            if token.isWord("to") {
                try take()
                if token.isWord("max") {
                    last = isEnum ? Int(Int32.max) : 536_870_911
                    try take()
                } else {
                    last = try signedInteger()
                }
            }
            guard first <= last else {
                throw ProtoFailure(message: "the range ends before it begins", spot: token.spot)
            }
            reserved.numbers.append(first...last)
        } while token.isSymbol(",")
        try expect(";")
    }

    /// `order_id` → `orderId`, as protoc makes it.
    static func jsonName(_ name: String) -> String {
        var result = ""
        var isAfterUnderscore = false
        for character in name {
            if character == "_" {
                isAfterUnderscore = true
            } else {
                result.append(isAfterUnderscore ? Character(character.uppercased()) : character)
                isAfterUnderscore = false
            }
        }
        return result
    }
}
