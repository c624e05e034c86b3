using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Trunks;

public sealed class TollPolicyTests
{
    private static readonly TollRules Rules = new()
    {
        Allow = ["90", "905", "4930"],
        Deny = ["90900", "49301", "908"],
        Hosts = ["home.example"],
        MaxConcurrent = 2,
        MaxPerDay = TimeSpan.FromMinutes(60),
        MaxCall = TimeSpan.FromMinutes(45),
        Zone = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(3), "test", "test"),
    };

    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 17, 12, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData("sip:+905321234567@x", TollRefusal.None)]
    [InlineData("sip:00905321234567@x", TollRefusal.None)]
    [InlineData("tel:+90-532-123.45(67)", TollRefusal.None)]
    [InlineData("sip:+905321234567;phone-context=x@x", TollRefusal.None)]
    [InlineData("sip:+909001112233@x", TollRefusal.Prefix)]
    [InlineData("sip:+%39%30900111@x", TollRefusal.Prefix)]
    [InlineData("sip:+9080@x", TollRefusal.Prefix)]
    [InlineData("sip:+15551234567@x", TollRefusal.Prefix)]
    [InlineData("sip:05321234567@x", TollRefusal.Prefix)]
    [InlineData("sip:+493012@x", TollRefusal.Prefix)]
    [InlineData("sip:+493020@x", TollRefusal.None)]
    [InlineData("sip:ayse@home.example", TollRefusal.None)]
    [InlineData("sip:ayse@HOME.example", TollRefusal.None)]
    [InlineData("sip:ayse@elsewhere.example", TollRefusal.Host)]
    [InlineData("sip:+90532123456789012@x", TollRefusal.Host)]
    [InlineData("sip:home.example", TollRefusal.NoNumber)]
    [InlineData("tel:*21", TollRefusal.NoNumber)]
    [InlineData("http://x", TollRefusal.NoNumber)]
    public void The_longest_beginning_decides_and_the_default_is_no(string target, TollRefusal expected) =>
        Assert.Equal(expected, new TollPolicy(Rules, time).Check(SipUri.Parse(target)));

    [Fact]
    public void Without_rules_nothing_is_allowed() => Assert.Equal(TollRefusal.Prefix, new TollPolicy(new TollRules(), time).Check(SipUri.Parse("sip:+90532@x")));

    [Fact]
    public void So_many_calls_at_once_and_no_more()
    {
        var policy = new TollPolicy(Rules, time);
        TollVerdict first = Begin(policy), second = Begin(policy);
        Assert.True(first.IsAllowed && second.IsAllowed);
        Assert.Equal(TollRefusal.Concurrent, Begin(policy).Refusal);
        Assert.True(Begin(policy, "other tenant").IsAllowed);
        policy.End(first.Call!, TimeSpan.Zero);
        policy.End(first.Call!, TimeSpan.Zero);
        Assert.True(Begin(policy).IsAllowed);
        Assert.Equal(TollRefusal.Concurrent, Begin(policy).Refusal);
    }

    [Fact]
    public void So_many_minutes_a_day_and_a_new_day_begins_at_the_zones_midnight()
    {
        var policy = new TollPolicy(Rules, time);
        TollVerdict first = Begin(policy);
        Assert.Equal(TimeSpan.FromMinutes(45), first.MaxTalk);
        policy.End(first.Call!, TimeSpan.FromMinutes(45));
        TollVerdict second = Begin(policy);
        Assert.Equal(TimeSpan.FromMinutes(15), second.MaxTalk);
        policy.End(second.Call!, TimeSpan.FromMinutes(15));
        Assert.Equal(TollRefusal.DayUsedUp, Begin(policy).Refusal);
        time.Advance(TimeSpan.FromHours(9) - TimeSpan.FromSeconds(1));
        Assert.Equal(TollRefusal.DayUsedUp, Begin(policy).Refusal);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(Begin(policy).IsAllowed);
    }

    [Fact]
    public void Accounts_are_bounded_and_those_of_yesterday_make_room()
    {
        var policy = new TollPolicy(Rules, time);
        for (int i = 0; i < TollPolicy.MaxAccounts; i++)
        {
            policy.End(Begin(policy, "a" + i).Call!, TimeSpan.Zero);
        }

        Assert.Equal(TollRefusal.TooManyAccounts, Begin(policy, "one more").Refusal);
        time.Advance(TimeSpan.FromDays(1));
        Assert.True(Begin(policy, "one more").IsAllowed);
    }

    private static TollVerdict Begin(TollPolicy policy, string account = "tenant") => policy.TryBegin(account, SipUri.Parse("sip:+905321234567@x"));
}
