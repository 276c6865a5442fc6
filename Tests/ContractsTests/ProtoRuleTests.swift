import Contracts
import Testing

/// Each rule for proto files both ways.
@Suite struct ProtoRuleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var old: String
        var new: String
        var forth: [String]
        var back: [String] = []
        var syntax = "proto3"
        var testDescription: String { name }
    }

    static let fields: [Case] = [
        Case(
            name: "number", old: "message A { string a = 1; }", new: "message A { string a = 2; }",
            forth: ["error proto_field_number_changed"], back: ["error proto_field_number_changed"]),
        Case(
            name: "name", old: "message A { string a = 1; }", new: "message A { string b = 1; }",
            forth: ["error proto_field_renamed"], back: ["error proto_field_renamed"]),
        Case(
            name: "type", old: "message A { string a = 1; }", new: "message A { int32 a = 1; }",
            forth: ["error proto_field_type_changed"], back: ["error proto_field_type_changed"]),
        Case(
            name: "type alike on the wire", old: "message A { int32 a = 1; }", new: "message A { uint32 a = 1; }",
            forth: ["warning proto_field_type_changed"], back: ["warning proto_field_type_changed"]),
        Case(
            name: "map", old: "message A { map<string, int32> a = 1; }",
            new: "message A { map<string, string> a = 1; }",
            forth: ["error proto_field_type_changed"], back: ["error proto_field_type_changed"]),
        Case(
            name: "label", old: "message A { string a = 1; }", new: "message A { repeated string a = 1; }",
            forth: ["error proto_field_label_changed"], back: ["error proto_field_label_changed"]),
        Case(
            name: "presence", old: "message A { string a = 1; }", new: "message A { optional string a = 1; }",
            forth: ["warning proto_field_label_changed"], back: ["warning proto_field_label_changed"]),
        Case(
            name: "removed", old: "message A { string a = 1; string b = 2; }", new: "message A { string a = 1; }",
            forth: ["error proto_field_removed"]),
        Case(
            name: "removed and reserved", old: "message A { string a = 1; string b = 2; }",
            new: "message A { string a = 1; reserved 2; reserved \"b\"; }", forth: ["warning proto_field_removed"],
            back: ["warning proto_reserved_removed"]),
        Case(
            name: "oneof", old: "message A { oneof x { string a = 1; string b = 2; } }",
            new: "message A { oneof x { string a = 1; } string b = 2; }", forth: ["error proto_field_oneof_changed"],
            back: ["error proto_field_oneof_changed"]),
        Case(
            name: "JSON name", old: "message A { string a_b = 1; }",
            new: "message A { string a_b = 1 [json_name = \"x\"]; }",
            forth: ["error proto_field_json_name_changed"], back: ["error proto_field_json_name_changed"]),
        Case(
            name: "JSON name written out", old: "message A { string a_b = 1; }",
            new: "message A { string a_b = 1 [json_name = \"aB\", deprecated = true]; }", forth: []),
        Case(
            name: "required", old: "message A { optional string a = 1; }",
            new: "message A { optional string a = 1; required string b = 2; }",
            forth: ["error proto_required_field_added"],
            back: ["error proto_field_removed"], syntax: "proto2"),
        Case(
            name: "added", old: "message A { string a = 1; }",
            new: "// more\nmessage A { string c = 3; string a = 1; }\nmessage B {}\nenum E { Z = 0; }", forth: [],
            back: ["error proto_enum_removed", "error proto_field_removed", "error proto_message_removed"]),
        Case(
            name: "one type, named in several ways",
            old: "message A { B b = 1; C.D d = 2; message B {} }\nmessage C { message D {} }",
            new: "message C { message D {} }\nmessage A { message B {} .shop.A.B b = 1; shop.C.D d = 2; }", forth: []),
        Case(
            name: "a nested type of the same name", old: "message A { B b = 1; }\nmessage B {}",
            new: "message A { B b = 1; message B {} }\nmessage B {}", forth: ["error proto_field_type_changed"],
            back: ["error proto_field_type_changed", "error proto_message_removed"]),
    ]

    static let service = "message A {}\nmessage B {}\n"
    static let others: [Case] = [
        Case(
            name: "method", old: service + "service S { rpc Get(A) returns (B); rpc Put(A) returns (B) {} }",
            new: service + "service S { rpc Get(A) returns (B); }", forth: ["error proto_method_removed"]),
        Case(
            name: "request", old: service + "service S { rpc Get(A) returns (B); }",
            new: service + "service S { rpc Get(B) returns (B); }", forth: ["error proto_method_request_changed"],
            back: ["error proto_method_request_changed"]),
        Case(
            name: "response", old: service + "service S { rpc Get(A) returns (B); }",
            new: service + "service S { rpc Get(A) returns (.shop.A); }",
            forth: ["error proto_method_response_changed"],
            back: ["error proto_method_response_changed"]),
        Case(
            name: "streaming", old: service + "service S { rpc Get(A) returns (B); }",
            new: service + "service S { rpc Get(stream A) returns (stream B); }",
            forth: ["error proto_method_streaming_changed", "error proto_method_streaming_changed"],
            back: ["error proto_method_streaming_changed", "error proto_method_streaming_changed"]),
        Case(
            name: "service", old: service + "service S { rpc Get(A) returns (B); }", new: service,
            forth: ["error proto_service_removed"]),
        Case(
            name: "enum value", old: "enum E { Z = 0; A = 1; }", new: "enum E { Z = 0; }",
            forth: ["error proto_enum_value_removed"]),
        Case(
            name: "reserved enum value", old: "enum E { Z = 0; A = 1; }",
            new: "enum E { Z = 0; reserved 1; reserved \"A\"; }",
            forth: ["warning proto_enum_value_removed"], back: ["warning proto_reserved_removed"]),
        Case(
            name: "enum number", old: "enum E { Z = 0; A = 1; }", new: "enum E { Z = 0; A = 2; }",
            forth: ["error proto_enum_value_number_changed"], back: ["error proto_enum_value_number_changed"]),
        Case(
            name: "enum name", old: "enum E { Z = 0; A = 1; }", new: "enum E { Z = 0; B = 1; }",
            forth: ["error proto_enum_value_renamed"], back: ["error proto_enum_value_renamed"]),
        Case(
            name: "alias", old: "enum E { Z = 0; A = 1; }",
            new: "enum E { option allow_alias = true; Z = 0; A = 1; B = 1; }",
            forth: [], back: ["error proto_enum_value_renamed"]),
    ]

    @Test(arguments: ProtoRuleTests.fields + ProtoRuleTests.others) func rules(_ one: Case) throws {
        let old = Documents.proto(one.old, syntax: one.syntax)
        let new = Documents.proto(one.new, syntax: one.syntax)
        let forth = try changes(old, new, proto: true)
        let back = try changes(new, old, proto: true)
        let same = try changes(old, old, proto: true) + changes(new, new, proto: true)
        #expect(forth == one.forth.sorted(), "forth")
        #expect(back == one.back.sorted(), "back")
        #expect(same == [])
    }

    @Test func packageAndSyntax() throws {
        let old = Documents.proto(
            "message A { optional string a = 1; }\nmessage B { optional A a = 1; }", syntax: "proto2")
        let new = Documents.proto(
            "message A { optional string a = 1; }\nmessage B { optional A a = 1; }", package: "shop.v2")
        let found = try changes(old, new, proto: true)
        #expect(found == ["error proto_package_changed", "warning proto_syntax_changed"])
    }

    @Test func anotherKindIsAnotherContract() throws {
        let old = try document(Documents.proto("message A {}"), "a.proto")
        let new = try document(Documents.response("{type: string}"), "a.yaml")
        let found = breakingChanges(from: old, to: new).map(\.code)
        #expect(found == ["contract_kind_changed"])
    }

    @Test func everythingOfTheLanguageIsRead() throws {
        let text = """
            /* a comment */ syntax = "proto2"; // another
            import public "google/protobuf/any.proto";
            package a.b.c;
            option java_package = "com.x";
            option (my.file) = { a: 1 b { c: "}" } };
            message Search {
              option (my.option).x = 5;
              extensions 100 to 199, 500 to max [verification = UNVERIFIED];
              reserved 4, 6 to 9, 1000 to max;
              reserved "old", 'older';
              required string query = 1 [(my.rule) = { min: 1 }, default = "a;]", json_name = "q"];
              repeated group Result = 2 { optional .google.protobuf.Any any = 1; message Deep { } }
              oneof kind { option (x) = 1; string name = 3; b.c.Search.Result other = 5; }
              map<int32, Search.Result.Deep> all = 10;
              optional message.X odd = 11;
              message enum { }
              enum E { option deprecated = true; A = -1; B = 0x10 [deprecated = true]; }
              extend Search { optional int32 more = 150; }
            }
            extend google.protobuf.FieldOptions { optional string rule = 50000; }
            service S { option (y) = true; rpc Do (stream .a.b.c.Search) returns (stream stream.T) { option (z) = { get: "/x" }; } ; }
            ;
            """
        let (document, problems) = ContractDocument.read(Array(text.utf8), file: "all.proto")
        #expect(document?.kind == .proto, "\(problems.map(\.rendered))")
        #expect(problems == [], "\(problems.map(\.rendered))")
    }
}
