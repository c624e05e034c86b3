using Sentiric.Testing;
using Xunit;

namespace Sentiric.Cli.Tests.Commands;

public sealed class PhonesCommandTests : IAsyncLifetime
{
    private const string Ayse = """
        {"extension":"ayse","realm":"sentiric","user_id":"01980000-0000-7000-8000-000000000001","user_name":"Ayşe Yılmaz","state":"registered","disabled":false,"foreign_realm":false,
         "id":"ayse:0123456789ab","address_of_record":"sip:ayse@sentiric","contact":"sip:ayse@10.0.0.7:5066","transport":"udp","source_address":"203.0.113.9","source_port":40001,
         "user_agent":"Yealink SIP-T46S","registered_at":"2026-03-02T06:55:00+00:00","expires_at":"2026-03-02T09:10:00+00:00","expires_in_seconds":590,"q":0.5,"call_id":"c"}
        """;

    private const string AtHome = """
        {"extension":"ayse","realm":"sentiric","user_id":"01980000-0000-7000-8000-000000000001","user_name":"Ayşe Yılmaz","state":"registered","disabled":true,"foreign_realm":false,
         "id":"ayse:ffff456789ab","address_of_record":"sip:ayse@sentiric","contact":"sip:ayse@[2001:db8::7];transport=tls","transport":"tls","source_address":"2001:db8::7","source_port":5061,
         "expires_at":"2026-03-02T09:10:00+00:00","expires_in_seconds":45,"call_id":"d"}
        """;

    private const string Mehmet = """
        {"extension":"mehmet","realm":"sentiric","user_id":"01980000-0000-7000-8000-000000000002","user_name":"Mehmet","state":"not_registered","disabled":false,"foreign_realm":false}
        """;

    private const string Veli = """
        {"extension":"veli","realm":"sentirik","user_id":"01980000-0000-7000-8000-000000000003","user_name":"Veli","state":"not_registered","disabled":false,"foreign_realm":true}
        """;

    private FakePlatform platform = null!;

    public async Task InitializeAsync() => platform = await FakePlatform.StartAsync();

    public async Task DisposeAsync() => await platform.DisposeAsync();

    [Fact]
    public async Task Telephones_are_shown_with_where_they_are_and_those_that_are_away()
    {
        platform.Answers("GET /v1/registrations?limit=500", Page("ayse@sentiric", Ayse, AtHome)).Answers("GET /v1/registrations?limit=499&cursor=ayse%40sentiric", Page(null, Mehmet, Veli));
        var (code, text, error) = await platform.RunAsync("", "phones", "list");
        Assert.Equal((0, ""), (code, error));
        Golden.Check(text, "tests", "Sentiric.Cli.Tests", "Commands", "phones.approved.txt");
    }

    [Fact]
    public async Task The_answer_itself_is_shown_as_it_came()
    {
        var page = Page("ayse@sentiric", Ayse);
        platform.Answers("GET /v1/registrations?extension=a%2A&state=registered&limit=7", page);
        Assert.Equal((0, page + "\n", ""), await platform.RunAsync("", "phones", "list", "--extension", "a*", "--registered", "--limit", "7", "--json"));
    }

    [Theory]
    [InlineData("no extension has a password for a telephone yet;", "limit=500")]
    [InlineData("no extension fits that has a password", "extension=zeynep&limit=500", "--extension", "zeynep")]
    [InlineData("no telephone is registered;", "state=registered&limit=500", "--registered")]
    [InlineData("every extension that fits has a registered telephone", "state=not_registered&limit=500", "--missing")]
    public async Task An_empty_list_says_what_to_do(string said, string asked, params string[] options)
    {
        platform.Answers("GET /v1/registrations?" + asked, Page(null));
        var (code, text, _) = await platform.RunAsync("", ["phones", "list", .. options]);
        Assert.Equal(0, code);
        Assert.StartsWith(said, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_than_was_asked_for_is_told()
    {
        platform.Answers("GET /v1/registrations?limit=1", Page("ayse@sentiric", Ayse, AtHome));
        var (_, text, _) = await platform.RunAsync("", "phones", "list", "--limit", "1");
        Assert.EndsWith("more extensions than 1: --limit or --extension shows the others\n", text, StringComparison.Ordinal);
        Assert.Single(platform.Asked);
    }

    [Fact]
    public async Task A_telephone_is_thrown_out_by_its_id()
    {
        platform.Answers("DELETE /v1/registrations/ayse:0123456789ab", "", 204);
        var (code, text, _) = await platform.RunAsync("", "phones", "remove", "ayse:0123456789ab");
        Assert.Equal(0, code);
        Assert.StartsWith("ayse:0123456789ab is forgotten; a telephone that is still on comes back", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_not_there_is_said_not_to_be()
    {
        platform.Answers("DELETE /v1/registrations/nobody", """{"type":"x","title":"x","status":404,"detail":"Tenant 'demo' has no extension 'nobody'.","code":"registration.unknown"}""", 404, "application/problem+json");
        Assert.Equal((1, "", "registration.unknown: Tenant 'demo' has no extension 'nobody'.\n"), await platform.RunAsync("", "phones", "remove", "nobody"));
    }

    [Theory]
    [InlineData("list or remove is missing.", "phones")]
    [InlineData("--registered and --missing exclude each other.", "phones", "list", "--missing", "--registered")]
    [InlineData("the id of a telephone, or an extension is missing.", "phones", "remove")]
    [InlineData("--limit is a number within 1 and 10000.", "phones", "list", "--limit", "0")]
    public async Task Bad_usage_ends_with_2_and_asks_nothing(string said, params string[] args)
    {
        var (code, _, error) = await platform.RunAsync("", args);
        Assert.Equal(2, code);
        Assert.StartsWith(said, error, StringComparison.Ordinal);
        Assert.Empty(platform.Asked);
    }

    private static string Page(string? next, params string[] rows) => $"{{\"items\":[{string.Join(',', rows)}]{(next is null ? "" : $",\"next\":\"{next}\"")}}}".ReplaceLineEndings("");
}
