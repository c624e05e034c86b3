using Sentiric.Sip.Tests.Kit;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Auth;

public sealed class RegistrarTests
{
    private const string Realm = "example.com";
    private const string Ayse = "sip:ayse@example.com";
    private const string Mehmet = "sip:mehmet@example.com";

    [Fact]
    public void Rfc_7616_3_9_1_vectors_come_out()
    {
        const string nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        string Response(DigestAlgorithm algorithm) => DigestMath.Response(
            algorithm, DigestMath.Secret(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life"), "GET", "/dir/index.html", nonce, "auth", "00000001", cnonce);
        Assert.Equal("8ca523f5e9506fed4657c9700eebdbec", Response(DigestAlgorithm.Md5));
        Assert.Equal("753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", Response(DigestAlgorithm.Sha256));
    }

    [Theory]
    [InlineData(DigestAlgorithm.Md5)]
    [InlineData(DigestAlgorithm.Sha256)]
    public async Task A_phone_registers_with_either_algorithm(DigestAlgorithm algorithm)
    {
        await using var desk = await Desk.OpenAsync();
        string nonce = await desk.ChallengeAsync();
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000001", algorithm: algorithm));
        SipLocation contact = Assert.Single(await desk.ContactsAsync(Ayse));
        Assert.Equal("sip:a@127.0.0.9:5062", contact.Contact.ToString());
        Assert.Equal(desk.Time.GetUtcNow().AddSeconds(600), contact.ExpiresAt);
        Assert.Equal(new SipFlow(SipTransportKind.Udp, contact.Source), contact.Flow);
        Assert.Equal((200, Ayse, "ayse"), (desk.Told[^1].StatusCode, desk.Told[^1].AddressOfRecord, desk.Told[^1].UserName));
    }

    [Fact]
    public async Task D10_Several_contacts_live_side_by_side_and_expires_0_removes_one()
    {
        await using var desk = await Desk.OpenAsync();
        string nonce = await desk.ChallengeAsync();
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000001"));
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000002", contact: "<sip:b@127.0.0.9:5063>"));
        Assert.Equal(2, desk.LastOk.Headers("Contact").Count());
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000003", contact: "<sip:A@127.0.0.9:5062>, <sip:a@127.0.0.9:5062>;expires=0"));
        Assert.Equal(["sip:b@127.0.0.9:5063", "sip:A@127.0.0.9:5062"], (await desk.ContactsAsync(Ayse)).Select(one => one.Contact.ToString()));
        Assert.Equal(400, await desk.RegisterAsync(Ayse, nonce, "00000004", contact: "*"));
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000005", contact: "*", expires: 0));
        Assert.Empty(await desk.ContactsAsync(Ayse));
    }

    [Fact]
    public async Task A_contact_expires_and_too_brief_wishes_get_423()
    {
        await using var desk = await Desk.OpenAsync();
        string nonce = await desk.ChallengeAsync();
        Assert.Equal(423, await desk.RegisterAsync(Ayse, nonce, "00000001", expires: 30));
        Assert.Equal("60", desk.Last.Header("Min-Expires"));
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000002", expires: 60));
        desk.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000003", contact: null));
        Assert.Empty(desk.LastOk.Headers("Contact"));
    }

    [Fact]
    public async Task A_contact_keeps_since_when_it_is_there_while_it_is_refreshed_and_begins_anew_after_a_gap()
    {
        await using var desk = await Desk.OpenAsync();
        string nonce = await desk.ChallengeAsync();
        DateTimeOffset first = desk.Time.GetUtcNow();
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000001", expires: 100));
        desk.Time.Advance(TimeSpan.FromSeconds(99));
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000002", expires: 100));
        Assert.Equal(first, Assert.Single(await desk.ContactsAsync(Ayse)).RegisteredAt);
        desk.Time.Advance(TimeSpan.FromSeconds(101));
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000003", expires: 100));
        Assert.Equal(desk.Time.GetUtcNow(), Assert.Single(await desk.ContactsAsync(Ayse)).RegisteredAt);
    }

    [Theory]
    [InlineData("User-Agent: Yealink SIP-T46S 66.86.0.15\r\n", ";q=0.7", "Yealink SIP-T46S 66.86.0.15", 0.7)]
    [InlineData("User-Agent: a\u001b[31mb\r\n", ";q=1.000", "a[31mb", 1.0)]
    [InlineData("", ";q=1.5", null, null)]
    [InlineData("User-Agent: \r\n", ";q=much", null, null)]
    [InlineData("", "", null, null)]
    public async Task What_a_phone_says_of_itself_is_kept_as_far_as_it_is_sound(string header, string parameter, string? userAgent, double? q)
    {
        await using var desk = await Desk.OpenAsync();
        Assert.Equal(200, await desk.RegisterAsync(Ayse, await desk.ChallengeAsync(), "00000001", contact: "<sip:a@127.0.0.9:5062>" + parameter, headers: header));
        SipLocation contact = Assert.Single(await desk.ContactsAsync(Ayse));
        Assert.Equal((userAgent, q), (contact.UserAgent, contact.Q));
    }

    [Fact]
    public async Task A_user_agent_as_long_as_a_novel_is_cut()
    {
        await using var desk = await Desk.OpenAsync();
        Assert.Equal(200, await desk.RegisterAsync(Ayse, await desk.ChallengeAsync(), "00000001", headers: $"User-Agent: {new string('x', 700)}\r\n"));
        Assert.Equal(new string('x', SipLocation.LongestUserAgent), Assert.Single(await desk.ContactsAsync(Ayse)).UserAgent);
    }

    [Fact]
    public async Task A_register_out_of_order_changes_nothing()
    {
        await using var desk = await Desk.OpenAsync();
        string nonce = await desk.ChallengeAsync();
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000001", cseq: 9));
        Assert.Equal(500, await desk.RegisterAsync(Ayse, nonce, "00000002", cseq: 8, expires: 0));
        Assert.Single(await desk.ContactsAsync(Ayse));
    }

    [Fact]
    public async Task D11_A_replayed_nonce_count_is_refused()
    {
        await using var desk = await Desk.OpenAsync();
        string nonce = await desk.ChallengeAsync();
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000001"));
        Assert.Equal(401, await desk.RegisterAsync(Ayse, nonce, "00000001"));
        Assert.Contains("stale=true", desk.Last.Header("WWW-Authenticate"));
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000005"));
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00000004"));
        Assert.Equal(401, await desk.RegisterAsync(Ayse, nonce, "00000004"));
        Assert.Equal(401, await desk.RegisterAsync(Ayse, nonce, "00000000"));
        Assert.Equal(401, await desk.RegisterAsync(Ayse, nonce, "nonsense"));
        Assert.Equal(200, await desk.RegisterAsync(Ayse, nonce, "00001000"));
        Assert.Equal(401, await desk.RegisterAsync(Ayse, nonce, "00000006"));
    }

    [Fact]
    public async Task D11_An_old_or_foreign_nonce_and_a_wrong_password_are_refused()
    {
        await using var desk = await Desk.OpenAsync();
        string nonce = await desk.ChallengeAsync();
        Assert.Equal(401, await desk.RegisterAsync(Ayse, nonce, "00000001", password: "yanlis"));
        Assert.DoesNotContain("stale", desk.Last.Header("WWW-Authenticate"));
        Assert.Equal(401, await desk.RegisterAsync(Ayse, new string('0', 64), "00000001"));
        Assert.Contains("stale=true", desk.Last.Header("WWW-Authenticate"));
        Assert.Equal(401, await desk.RegisterAsync("sip:hic@example.com", nonce, "00000001", user: "hic"));
        Assert.DoesNotContain("stale", desk.Last.Header("WWW-Authenticate"));
        desk.Time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(401, await desk.RegisterAsync(Ayse, nonce, "00000001"));
        Assert.Contains("stale=true", desk.Last.Header("WWW-Authenticate"));
        Assert.Empty(await desk.ContactsAsync(Ayse));
    }

    [Fact]
    public async Task D11_A_user_who_does_not_own_the_address_is_refused()
    {
        await using var desk = await Desk.OpenAsync();
        Assert.Equal(403, await desk.RegisterAsync(Mehmet, await desk.ChallengeAsync(), "00000001"));
        Assert.Empty(await desk.ContactsAsync(Mehmet));
    }

    [Fact]
    public async Task D11_Credentials_for_another_request_are_refused()
    {
        await using var desk = await Desk.OpenAsync();
        string nonce = await desk.ChallengeAsync();
        Assert.Equal(401, await desk.RegisterAsync(Ayse, nonce, "00000001", digestMethod: "INVITE"));
        Assert.Equal(401, await desk.RegisterAsync(Ayse, nonce, "00000001", digestUri: "sip:other.example"));
    }

    [Fact]
    public async Task Where_only_MD5_is_offered_there_is_one_challenge_and_nothing_else_is_taken()
    {
        await using var desk = await Desk.OpenAsync(DigestAlgorithm.Md5);
        Assert.Equal(401, await desk.SendAsync(Ayse, "<sip:a@127.0.0.9:5062>", 600, 1, ""));
        DigestParameters challenge = DigestParameters.Parse(Assert.Single(desk.Last.Headers("WWW-Authenticate")))!;
        Assert.Equal("MD5", challenge["algorithm"]);
        Assert.Equal(401, await desk.RegisterAsync(Ayse, challenge["nonce"]!, "00000001", algorithm: DigestAlgorithm.Sha256));
        Assert.Equal(200, await desk.RegisterAsync(Ayse, challenge["nonce"]!, "00000002", algorithm: DigestAlgorithm.Md5));
    }

    [Fact]
    public async Task Our_own_client_registers_at_our_registrar()
    {
        await using var desk = await Desk.OpenAsync();
        await using SipEndpoint client = await SipEndpoint.StartAsync(
            new() { Listen = [SipListen.Udp("127.0.0.2")], Network = desk.Stage.Network, TimeProvider = desk.Time }, new TestApplication());
        var register = new OutgoingRequest
        {
            Method = "REGISTER",
            Target = SipUri.Parse("sip:example.com"),
            Proxy = SipUri.Parse($"sip:{desk.Stage.Server}"),
            From = NameAddr.Create(null, SipUri.Parse(Ayse)),
            To = NameAddr.Create(null, SipUri.Parse(Ayse)),
            WithContact = true,
            Credentials = new SipCredentials("ayse", "gizli"),
        };
        OutgoingRequestResult result = await TestApplication.Within(client.RequestAsync(register), "the registration");
        Assert.Equal(200, result.StatusCode);
        Assert.Equal($"sip:ayse@{client.Bindings[0].Address}", Assert.Single(await desk.ContactsAsync(Ayse)).Contact.ToString());
        result = await TestApplication.Within(client.RequestAsync(register with { Credentials = new SipCredentials("ayse", "yanlis") }), "the refusal");
        Assert.Equal(401, result.StatusCode);
    }

    /// <summary>A registrar with two accounts and a phone before it.</summary>
    private sealed class Desk(Stage stage, MemoryLocationStore locations, List<SipRegistration> told) : IAsyncDisposable
    {
        private int next;

        public Stage Stage => stage;

        public ManualTime Time => stage.Time;

        public List<SipRegistration> Told => told;

        public SipResponse Last { get; private set; } = null!;

        public SipResponse LastOk => Assert.IsType<SipResponse>(Last);

        public static async Task<Desk> OpenAsync(params DigestAlgorithm[] algorithms)
        {
            var time = new ManualTime();
            var accounts = new MemoryCredentialStore();
            accounts.Put(SipAccount.Create(Realm, "ayse", "gizli", Ayse));
            accounts.Put(SipAccount.Create(Realm, "mehmet", "gizli2", Mehmet));
            var locations = new MemoryLocationStore();
            var told = new List<SipRegistration>();
            var registrar = new Registrar(new DigestServer(Realm, accounts, time, null, algorithms.Length == 0 ? null : algorithms), locations, time, null, told.Add);
            return new Desk(await Stage.OpenAsync(options => options with { Registrar = registrar }, time), locations, told);
        }

        public ValueTask<IReadOnlyList<SipLocation>> ContactsAsync(string address) => locations.FindAsync(address, CancellationToken.None);

        public async Task<string> ChallengeAsync()
        {
            Assert.Equal(401, await SendAsync(Ayse, "<sip:a@127.0.0.9:5062>", 600, 1, ""));
            Assert.Equal(["SHA-256", "MD5"], Last.Headers("WWW-Authenticate").Select(one => DigestParameters.Parse(one)!["algorithm"]));
            return DigestParameters.Parse(Last.Header("WWW-Authenticate")!)!["nonce"]!;
        }

        public Task<int> RegisterAsync(
            string address, string nonce, string nc, string? contact = "<sip:a@127.0.0.9:5062>", int expires = 600, uint? cseq = null,
            DigestAlgorithm algorithm = DigestAlgorithm.Sha256, string user = "ayse", string password = "gizli", string digestMethod = "REGISTER", string digestUri = "sip:example.com", string headers = "")
        {
            string secret = DigestMath.Secret(algorithm, user, Realm, password);
            string response = DigestMath.Response(algorithm, secret, digestMethod, digestUri, nonce, "auth", nc, "c");
            string name = algorithm == DigestAlgorithm.Md5 ? "MD5" : "SHA-256";
            return SendAsync(address, contact, contact == "*" && expires != 0 ? 600 : expires, cseq ?? (uint)(100 + next),
                headers + $"Authorization: Digest username=\"{user}\", realm=\"{Realm}\", nonce=\"{nonce}\", uri=\"{digestUri}\", response=\"{response}\", algorithm={name}, qop=auth, nc={nc}, cnonce=\"c\"\r\n");
        }

        public async Task<int> SendAsync(string address, string? contact, int expires, uint cseq, string extra)
        {
            int number = Interlocked.Increment(ref next);
            stage.Phone.Say("REGISTER sip:example.com SIP/2.0\r\n"
                + $"Via: SIP/2.0/UDP 127.0.0.9:5060;rport;branch=z9hG4bKreg{number}\r\nMax-Forwards: 70\r\n"
                + $"From: <{address}>;tag=r{number}\r\nTo: <{address}>\r\nCall-ID: reg@phone\r\nCSeq: {cseq} REGISTER\r\n"
                + (contact is null ? "" : $"Contact: {contact}\r\n") + $"Expires: {expires}\r\n" + extra + "Content-Length: 0\r\n\r\n");
            string branch = $"z9hG4bKreg{number}";
            Last = await stage.Phone.HearResponseToAsync(branch);
            return Last.StatusCode;
        }

        public ValueTask DisposeAsync() => stage.DisposeAsync();
    }
}
