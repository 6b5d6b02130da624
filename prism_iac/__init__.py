"""Confidential computations as code: resources and a stack-file component for Pulumi programs."""
