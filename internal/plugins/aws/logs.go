package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

var (
	logGroupName = regexp.MustCompile(`^[a-zA-Z0-9._/#-]{1,512}$`)
	// retentions are the days that CloudWatch keeps events; 0 is for ever.
	// Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
	retentions = []float64{
		0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
	}
)

// logsKinds: sources as of networkKinds (internal/service/logs).
var logsKinds = map[string]kind{
	aws.LogGroup: {
		service: "CloudWatch Logs", create: "CreateLogGroup", update: "PutRetentionPolicy", remove: "DeleteLogGroup",
		name: "name", maxName: 512, prefix: "namePrefix",
		replaces: []string{"logGroupClass", "name", "namePrefix"},
		defaults: values{"retentionInDays": 0.0, "skipDestroy": false},
		computed: []string{"arn", "logGroupClass", "name", "tagsAll"},
		taken:    &answer{400, "ResourceAlreadyExistsException", "The specified log group already exists"},
		id:       func(_ place, in values) string { return text(in, "name") },
		outputs: func(s subject) values {
			class := text(s.in, "logGroupClass")
			if class == "" {
				class = "STANDARD"
			}
			return values{
				"arn": s.at.arn("logs", s.at.region, "log-group:"+s.id), "name": s.id, "logGroupClass": class, "tagsAll": tags(s.in),
			}
		},
		check: func(in values) map[string]string {
			found := map[string]string{"logGroupClass": oneOf(text(in, "logGroupClass"), "STANDARD", "INFREQUENT_ACCESS", "DELIVERY")}
			if name := text(in, "name"); name != "" && !logGroupName.MatchString(name) {
				found["name"] = fmt.Sprintf("is %q; want up to 512 letters, digits and characters of _-/.#", name)
			}
			if days, given := in["retentionInDays"].(float64); given && !slices.Contains(retentions, days) {
				found["retentionInDays"] = fmt.Sprintf("is %v; want one of %v", days, retentions)
			}
			return problems(found)
		},
	},
	aws.FlowLog: {
		service: "EC2", create: "CreateFlowLogs", remove: "DeleteFlowLogs",
		replaces: []string{
			"deliverCrossAccountRole", "destinationOptions", "eniId", "iamRoleArn", "logDestination", "logDestinationType",
			"logFormat", "logGroupName", "maxAggregationInterval", "subnetId", "trafficType", "transitGatewayAttachmentId",
			"transitGatewayId", "vpcId",
		},
		defaults: values{"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600.0},
		computed: []string{"arn", "logDestination", "logFormat", "tagsAll"},
		refers: []reference{
			{path: "vpcId", token: aws.VPC, absent: noVPC},
			{path: "subnetId", token: aws.Subnet, absent: noSubnet},
			assumes("iamRoleArn", "vpc-flow-logs.amazonaws.com",
				answer{400, "InvalidParameter", "Unable to assume given IAM role %s"},
				answer{400, "InvalidParameter", "Unable to assume given IAM role: it does not trust vpc-flow-logs.amazonaws.com"}),
		},
		id: func(place, values) string { return random("fl") },
		outputs: func(s subject) values {
			out := values{"arn": s.at.arn("ec2", s.at.region, "vpc-flow-log/"+s.id), "tagsAll": tags(s.in)}
			out["logFormat"] = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} " +
				"${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
			out["logDestination"] = ""
			for _, key := range []string{"logFormat", "logDestination"} {
				if given := text(s.in, key); given != "" {
					out[key] = strings.TrimSuffix(given, ":*")
				}
			}
			return out
		},
		check: func(in values) map[string]string {
			found := map[string]string{
				"trafficType":        oneOf(text(in, "trafficType"), "ACCEPT", "REJECT", "ALL"),
				"logDestinationType": oneOf(text(in, "logDestinationType"), "cloud-watch-logs", "s3", "kinesis-data-firehose"),
			}
			if interval, given := in["maxAggregationInterval"].(float64); given && interval != 60 && interval != 600 {
				found["maxAggregationInterval"] = fmt.Sprintf("is %v; want 60 or 600 seconds", interval)
			}
			return problems(found)
		},
		allow: func(s subject) *answer {
			switch {
			case text(s.in, "trafficType") == "" && text(s.in, "transitGatewayId")+text(s.in, "transitGatewayAttachmentId") == "":
				return &answer{400, "MissingParameter", "The request must contain the parameter TrafficType"}
			case text(s.in, "logDestinationType") == "cloud-watch-logs" && text(s.in, "iamRoleArn") == "":
				return &answer{400, "InvalidParameter", "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."}
			}
			return nil
		},
	},
}
