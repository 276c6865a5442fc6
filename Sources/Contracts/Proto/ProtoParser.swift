/// Tokens → declarations of a proto file (proto2 and proto3), strictly: the first thing that is no proto ends it.
/// Options are read over, but for `json_name` and `allow_alias`.
struct ProtoParser {
    var lexer: ProtoLexer
    var token: ProtoToken
    var file = ProtoFile()

    static func parse(_ bytes: [UInt8], _ problems: inout Problems) -> ProtoFile? {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            problems.error("not_utf8", "the file is not UTF-8")
            return nil
        }
        do throws(ProtoFailure) {
            var parser = try ProtoParser(bytes)
            try parser.parseFile()
            var checker = ProtoChecker(file: parser.file, problems: problems)
            checker.check()
            problems = checker.problems
            return checker.file
        } catch {
            problems.error(error.code, error.message, at: error.spot)
            return nil
        }
    }

    private init(_ bytes: [UInt8]) throws(ProtoFailure) {
        lexer = ProtoLexer(bytes)
        token = try lexer.next()
    }

    private mutating func parseFile() throws(ProtoFailure) {
        var isFirst = true
        while token.kind != .end {
            switch token.word {
            case "syntax" where isFirst: try syntax()
            case "edition" where isFirst:
                throw ProtoFailure(
                    code: "not_supported_yet", message: "editions are not read yet; proto2 and proto3 are",
                    spot: token.spot)
            case "import":
                try take()
                if token.isWord("public") || token.isWord("weak") || token.isWord("option") { try take() }
                guard token.text != nil else { throw unexpected("the name of a file") }
                try take()
                try expect(";")
                file.hasImports = true
            case "package":
                file.packageSpot = token.spot
                try take()
                file.package = try qualifiedName()
                try expect(";")
            case "option": try option()
            case "message": try message(in: "", depth: 1)
            case "enum": try enumeration(in: "")
            case "service": try service()
            case "extend": try extend(in: "", depth: 1)
            default:
                guard token.isSymbol(";") else { throw unexpected("a declaration") }
                try take()
            }
            isFirst = false
        }
    }

    private mutating func syntax() throws(ProtoFailure) {
        file.syntaxSpot = token.spot
        try take()
        try expect("=")
        switch token.text {
        case "proto2": file.syntax = 2
        case "proto3": file.syntax = 3
        default: throw unexpected("\"proto2\" or \"proto3\"")
        }
        try take()
        try expect(";")
    }

    private mutating func service() throws(ProtoFailure) {
        try take()
        var service = ProtoFile.Service(name: "", spot: token.spot)
        service.name = try name()
        try expect("{")
        while !token.isSymbol("}") {
            if token.isSymbol(";") {
                try take()
            } else if token.isWord("option") {
                try option()
            } else if token.isWord("rpc") {
                try take()
                service.methods.append(try method())
            } else {
                throw unexpected("`rpc`")
            }
        }
        try take()
        file.services.append(service)
    }

    private mutating func method() throws(ProtoFailure) -> ProtoFile.Service.Method {
        let spot = token.spot
        let name = try name()
        let (request, streamsRequest) = try methodType()
        guard token.isWord("returns") else { throw unexpected("`returns`") }
        try take()
        let (response, streamsResponse) = try methodType()
        if token.isSymbol("{") {
            try skipBraces()
        } else {
            try expect(";")
        }
        return .init(
            name: name, request: request, response: response, streamsRequest: streamsRequest,
            streamsResponse: streamsResponse, spot: spot)
    }

    private mutating func methodType() throws(ProtoFailure) -> (type: String, streams: Bool) {
        try expect("(")
        var streams = false
        if token.isWord("stream") {
            // A type may be called so, too.
            let before = self
            try take()
            streams = !token.isSymbol(")") && !token.isSymbol(".")
            if !streams { self = before }
            if before.token.isWord("stream"), token.isSymbol(".") { streams = true }
        }
        let type = try qualifiedName()
        try expect(")")
        return (type, streams)
    }

    // MARK: - Pieces

    mutating func take() throws(ProtoFailure) { token = try lexer.next() }

    mutating func expect(_ symbol: Character) throws(ProtoFailure) {
        guard token.isSymbol(symbol) else { throw unexpected("`\(symbol)`") }
        try take()
    }

    func unexpected(_ wanted: String) -> ProtoFailure {
        ProtoFailure(message: "\(wanted) is missing here; there is \(token.shown)", spot: token.spot)
    }

    mutating func name() throws(ProtoFailure) -> String {
        guard let word = token.word else { throw unexpected("a name") }
        try take()
        return word
    }

    /// `a.b.C`, with a leading dot where there is one.
    mutating func qualifiedName() throws(ProtoFailure) -> String {
        var text = ""
        if token.isSymbol(".") {
            try take()
            text = "."
        }
        text += try name()
        while token.isSymbol(".") {
            try take()
            text += "." + (try name())
        }
        return text
    }

    mutating func signedInteger() throws(ProtoFailure) -> Int {
        let isNegative = token.isSymbol("-")
        if isNegative { try take() }
        guard let number = token.integer else { throw unexpected("a number") }
        try take()
        return isNegative ? -number : number
    }

    /// `option name = value;`, of which the name and a single word as value are given.
    @discardableResult
    mutating func option() throws(ProtoFailure) -> (name: String?, value: String?) {
        try take()
        let name = token.word
        while !token.isSymbol("=") {
            guard token.kind != .end, !token.isSymbol(";") else { throw unexpected("`=`") }
            try take()
        }
        try take()
        let value = token.word
        while !token.isSymbol(";") {
            guard token.kind != .end else { throw unexpected("`;`") }
            if token.isSymbol("{") { try skipBraces() } else { try take() }
        }
        try take()
        return (name, value)
    }

    /// From `{` to behind the `}` that belongs to it.
    mutating func skipBraces() throws(ProtoFailure) {
        var depth = 0
        repeat {
            if token.isSymbol("{") { depth += 1 }
            if token.isSymbol("}") { depth -= 1 }
            guard token.kind != .end else { throw unexpected("`}`") }
            try take()
        } while depth > 0
    }

    /// `[name = value, …]` behind a field; gives `json_name`.
    mutating func fieldOptions() throws(ProtoFailure) -> String? {
        guard token.isSymbol("[") else { return nil }
        var depth = 0
        var jsonName: String?
        var isName = false
        repeat {
            if token.isSymbol("[") || token.isSymbol("{") { depth += 1 }
            if token.isSymbol("]") || token.isSymbol("}") { depth -= 1 }
            guard token.kind != .end, !token.isSymbol(";") || depth > 1 else { throw unexpected("`]`") }
            if depth == 1, token.isWord("json_name") {
                isName = true
            } else if isName, let text = token.text {
                jsonName = text
                isName = false
            }
            try take()
        } while depth > 0
        return jsonName
    }
}
