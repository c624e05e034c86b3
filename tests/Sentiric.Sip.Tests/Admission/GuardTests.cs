using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Admission;

public sealed class GuardTests
{
    private static readonly IPAddress Stranger = IPAddress.Parse("203.0.113.9");
    private readonly ManualTime time = new();
    private readonly Lines lines = new();

    [Theory]
    [InlineData("friendly-scanner")]
    [InlineData("SIPVicious 0.3")]
    [InlineData("mozilla/zmap")]
    public async Task A_scanner_hears_nothing(string agent)
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { Guard = Guard() });
        stage.Phone.Say(stage.Phone.Request("OPTIONS", "scan", "z9hG4bKs1", 1, extra: $"User-Agent: {agent}\r\n"));
        stage.Phone.Say(stage.Phone.Request("OPTIONS", "phone", "z9hG4bKs2", 1, extra: "User-Agent: Linphone/5.2\r\n"));
        await stage.Phone.HearResponseAsync(200, "OPTIONS");
        Assert.Equal("phone", Assert.Single(stage.Phone.Log).CallId);
        Assert.Equal("SIP guard: scanner from 127.0.0.9", Assert.Single(lines.Written));
    }

    [Fact]
    public async Task Who_may_not_send_hears_nothing_and_is_written_down_once_a_minute()
    {
        SipGuard guard = Guard();
        await using Stage stage = await Stage.OpenAsync(options => options with { Guard = guard, TimeProvider = time }, time);
        stage.Application.Source = _ => SipSourceDecision.Drop;
        for (int i = 0; i < 100; i++)
        {
            stage.Phone.Say(stage.Phone.Request("OPTIONS", "x" + i, "z9hG4bKx" + i, 1));
        }

        Assert.False(stage.Phone.HasHeardAnything);
        Assert.Single(lines.Written);
        Assert.Equal(100, guard.Count(GuardReason.UnknownSource));
        time.Advance(TimeSpan.FromMinutes(1));
        stage.Phone.Say(stage.Phone.Request("OPTIONS", "y", "z9hG4bKy", 1));
        Assert.Equal(2, lines.Written.Count);
    }

    [Fact]
    public void Every_line_that_the_product_writes_is_caught_by_fail2bans_filter()
    {
        string filter = File.ReadAllText(Repository.PathOf("deploy", "fail2ban", "filter.d", "sentiric-sip.conf"));
        string pattern = Regex.Match(filter, "^failregex = (.*)$", RegexOptions.Multiline).Groups[1].Value;
        // fail2ban puts addresses of both families in the place of <HOST>.
        var regex = new Regex(pattern.Replace("<HOST>", @"(?<host>\S+)"));
        SipGuard guard = Guard();
        foreach (GuardReason reason in Enum.GetValues<GuardReason>())
        {
            guard.Tell(Stranger, reason);
            guard.Tell(IPAddress.Parse("2001:db8::9"), reason);
        }

        Assert.Equal(2 * Enum.GetValues<GuardReason>().Length, lines.Written.Count);
        Assert.All(lines.Written, line => Assert.Contains(regex.Match(line).Groups["host"].Value, (string[])["203.0.113.9", "2001:db8::9"]));
        Assert.DoesNotMatch(regex, "SIP guard: scanner from 203.0.113.9 and something that a caller wrote");
    }

    [Fact]
    public void A_flood_under_many_addresses_is_no_flood_of_lines()
    {
        SipGuard guard = Guard();
        for (int i = 0; i < 5_000; i++)
        {
            guard.Tell(new IPAddress(0x0A000000u + (uint)i), GuardReason.UnknownSource);
        }

        Assert.Equal((SipGuard.LinesPerSecond, 5_000), (lines.Written.Count, guard.Count(GuardReason.UnknownSource)));
        time.Advance(TimeSpan.FromSeconds(1));
        guard.Tell(Stranger, GuardReason.UnknownSource);
        Assert.Equal(SipGuard.LinesPerSecond + 1, lines.Written.Count);
    }

    [Fact]
    public void After_a_few_wrong_passwords_a_user_is_locked_out_from_that_source_alone()
    {
        var lockOut = new DigestLockOut(new LockOutLimits { PerUser = 3, PerSource = 10 }, time);
        Assert.False(lockOut.Failed(Stranger, "100"));
        Assert.False(lockOut.Failed(Stranger, "100"));
        Assert.True(lockOut.Failed(Stranger, "100"));
        Assert.True(lockOut.IsLockedOut(Stranger, "100"));
        Assert.False(lockOut.IsLockedOut(Stranger, "101"));
        Assert.False(lockOut.IsLockedOut(Stranger));
        Assert.False(lockOut.IsLockedOut(IPAddress.Parse("203.0.113.10"), "100"));
        time.Advance(TimeSpan.FromMinutes(15));
        Assert.False(lockOut.IsLockedOut(Stranger, "100"));
        Assert.False(lockOut.Failed(Stranger, "100"));
    }

    [Fact]
    public void Who_tries_many_users_is_locked_out_altogether_and_ipv6_counts_by_its_network()
    {
        var lockOut = new DigestLockOut(new LockOutLimits { PerUser = 3, PerSource = 10 }, time);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(i == 9, lockOut.Failed(IPAddress.Parse($"2001:db8::{i + 1}"), "u" + i));
        }

        Assert.True(lockOut.IsLockedOut(IPAddress.Parse("2001:db8::ffff")));
        Assert.False(lockOut.IsLockedOut(IPAddress.Parse("2001:db8:0:1::1")));
    }

    [Fact]
    public void The_right_password_forgives_the_user_and_old_mistakes_are_forgotten()
    {
        var lockOut = new DigestLockOut(new LockOutLimits { PerUser = 2, PerSource = 100 }, time);
        lockOut.Failed(Stranger, "100");
        lockOut.Succeeded(Stranger, "100");
        Assert.False(lockOut.Failed(Stranger, "100"));
        time.Advance(TimeSpan.FromMinutes(16));
        Assert.False(lockOut.Failed(Stranger, "100"));
        Assert.True(lockOut.Failed(Stranger, "100"));
    }

    [Fact]
    public async Task A_source_that_tried_too_many_passwords_is_not_even_read()
    {
        var lockOut = new DigestLockOut(new LockOutLimits { PerSource = 3 }, time);
        await using Stage stage = await Stage.OpenAsync(options => options with { Guard = Guard(lockOut), TimeProvider = time }, time);
        for (int i = 0; i < 3; i++)
        {
            lockOut.Failed(stage.Phone.Address.Address, "u" + i);
        }

        stage.Phone.Say(stage.Phone.Request("OPTIONS", "x", "z9hG4bKx", 1));
        Assert.False(stage.Phone.HasHeardAnything);
        time.Advance(TimeSpan.FromMinutes(15));
        stage.Phone.Say(stage.Phone.Request("OPTIONS", "y", "z9hG4bKy", 1));
        await stage.Phone.HearResponseAsync(200, "OPTIONS");
    }

    [Fact]
    public void All_sources_together_have_a_limit_and_an_exhausted_one_takes_nothing_of_it()
    {
        var admission = new SourceAdmission(new SourceLimits { Burst = 2, RequestsPerSecond = 1, OverallBurst = 6, OverallPerSecond = 1 }, time);
        int Admitted(string source, int requests) => Enumerable.Range(0, requests).Count(_ => admission.Admit(IPAddress.Parse(source)) == AdmissionVerdict.Admit);
        Assert.Equal(2, Admitted("10.0.0.1", 50));
        Assert.Equal(2, Admitted("10.0.0.2", 50));
        Assert.Equal(2, Admitted("2001:db8::1", 1) + Admitted("2001:db8::2", 50));
        Assert.Equal(0, Admitted("10.0.0.3", 50));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Admitted("10.0.0.3", 50));
    }

    private SipGuard Guard(DigestLockOut? lockOut = null) => new(time, lines, ScannerFilter.Usual, lockOut);

    private sealed class Lines : ILogger
    {
        public ConcurrentQueue<string> Written { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Enqueue(formatter(state, exception));
    }
}
